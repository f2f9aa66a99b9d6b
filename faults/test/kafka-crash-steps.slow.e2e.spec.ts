import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freePorts } from '@ragmesh/local-servers';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { AcceptedWork } from '../../services/standalone/test/accepted-work.js';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { startFaultyStandalone } from './faulty-standalone.js';
import { ownKafka } from './on-both-buses.js';

const MAIN = fileURLToPath(new URL('./deadly-main.mjs', import.meta.url));
/** Each start waits for the sessions of the dead, so only some steps are taken: these cover commits and publishes alike. */
const STRIDE = 3;
const MOST_STEPS = 200;
const LEAST_CRASHES = 8;

const text = (word: string): string => `The ${word} of the mesh. `.repeat(60);

describeWithServer('kafka', 'a process killed at commit and publish steps, events on Kafka', () => {
  const kafka = ownKafka();
  const accepted = new AcceptedWork();
  let dataDir: string;
  beforeAll(async () => void (dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-crash-kafka-'))));
  afterAll(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));

  async function start(crashAt: number): Promise<{ child: ChildProcess; api: ApiClient }> {
    const [port] = await freePorts(1);
    const env = {
      PATH: process.env['PATH'],
      RAGMESH_DATA_DIR: dataDir,
      SERVER_PORT: String(port),
      APP_EMBEDDINGS_BACKEND: 'mock',
    };
    const args = ['step', String(crashAt), kafka().brokers.join(',')];
    const child = fork(MAIN, args, { env, execArgv: ['--no-warnings'], stdio: 'ignore' });
    const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
    if (!(message as { ready?: boolean } | null)?.ready) throw new Error('ragmesh ended before it was ready');
    return { child, api: new ApiClient(`http://127.0.0.1:${port}`) };
  }

  const isRunning = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode === null && signalCode === null;

  /** Uploads, updates and deletes one document, until the process dies. @returns whether it lived through all of it. */
  async function livesThrough({ child, api }: { child: ChildProcess; api: ApiClient }, id: string): Promise<boolean> {
    try {
      await accepted.upload(id, () => api.upload({ id, text: text('first') }));
      await api.terminal(id);
      await accepted.upload(id, () => api.call('PUT', `/v1/documents/${id}`, { text: text('second') }));
      await api.terminal(id);
      const { body } = await accepted.deletion(id, () => api.call('DELETE', `/v1/documents/${id}`));
      const { href } = body['operation'] as { href: string };
      await eventually(`${href} is done`, async () => (await api.call('GET', href)).body['done']);
      return true;
    } catch (error) {
      if (isRunning(child)) await Promise.race([once(child, 'exit'), delay(5_000)]);
      if (isRunning(child)) throw error; // it was told to die; whatever else went wrong is a finding
      return false;
    }
  }

  it('loses and doubles nothing', async () => {
    let crashes = 0;
    for (let step = 1; step <= MOST_STEPS; step += STRIDE) {
      const mesh = await start(step);
      const lived = await livesThrough(mesh, `step-${step}`);
      if (isRunning(mesh.child)) {
        mesh.child.kill('SIGKILL');
        await once(mesh.child, 'exit');
      }
      if (lived) break; // there is no further step
      crashes += 1;
    }
    expect(crashes).toBeGreaterThan(LEAST_CRASHES);
    const mesh = await startFaultyStandalone({ kafka: kafka(), dataDir });
    try {
      expect(await mesh.oracle.violations()).toEqual([]);
      expect(accepted.size).toBeGreaterThan(LEAST_CRASHES / 2);
      expect(await accepted.broken(mesh.api)).toEqual([]);
    } finally {
      await mesh.close();
    }
  }, 1_200_000);
});
