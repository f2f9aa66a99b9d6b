import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SERVICE_KEY_FILE } from '@ragmesh/bootstrap';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { readManifest } from '../../../backup/read-backup.js';
import type { Answer } from '../../standalone/test/api-client.js';
import { startEightProcesses, type EightProcesses } from './eight-processes.js';
import { OtlpReceiver } from './otlp-receiver.js';
import { tellsOneStory } from './traces.suite.js';

const DOCUMENTS_PER_KILL = 6;

/** Kills a service and waits until another process has taken its place. */
async function killAndAwait({ mesh }: EightProcesses, name: ServiceName): Promise<void> {
  const service = mesh.supervisor.service(name);
  const killed = service.pid!;
  process.kill(killed, 'SIGKILL');
  await eventually(`${name} is back`, () => service.pid !== killed && service.isReady);
}

/** Uploads until it is accepted: a caller whose request met a dead process repeats it. */
async function uploadPatiently({ api }: EightProcesses, id: string): Promise<void> {
  let last: Answer | undefined;
  const isAccepted = async (): Promise<boolean> => {
    last = await api.call('PUT', `/v1/documents/${id}`, { text: `Text of ${id}. `.repeat(50) }).catch(() => undefined);
    return last?.status === 202;
  };
  await eventually(() => `${id} is accepted, only ${JSON.stringify(last)}`, isAccepted);
}

function promises(settings: Readonly<Record<string, string>>, events: RegExp): void {
  let eight: EightProcesses;
  let receiver: OtlpReceiver;
  beforeAll(async () => {
    receiver = await OtlpReceiver.start();
    const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: '200' };
    eight = await startEightProcesses({ ...settings, ...traced });
  });
  afterAll(async () => {
    await eight?.close();
    await receiver.close();
  });

  it('takes a document from upload to citation and to deletion', async () => {
    const { api } = eight;
    expect(new Map(eight.mesh.servers.described).get('Events')).toMatch(events);
    const { status, body } = await api.upload({ id: 'notice', text: 'The notice period is ninety days for everyone.' });
    expect(status).toBe(202);
    expect((await api.terminal(String(body['id']))).status).toBe('ready');
    const search = async (query: string) => (await api.call('POST', '/v1/search', { query })).body;
    await eventually('a whole search', async () => JSON.stringify((await search('anything'))['degraded']) === '[]');
    expect(await search('notice period')).toMatchObject({ results: [{ document_id: 'notice' }], degraded: [] });
    const answer = await api.call('POST', '/v1/query', { query: 'How long is the notice period?' });
    expect(answer.body).toMatchObject({ citations: [{ document_id: 'notice' }] });
    expect((await api.call('DELETE', '/v1/documents/notice')).status).toBe(202);
    expect(await eight.oracle.violations()).toEqual([]);
    const isGone = async () => JSON.stringify((await search('notice period'))['results']) === '[]';
    await eventually('nothing is found any more', isGone);
  });

  it('is what the doctor and a backup see who know nothing but its data folder', async () => {
    const env = { PATH: process.env['PATH'], RAGMESH_DATA_DIR: eight.mesh.dataDir };
    const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { env });
    let report = { findings: [] as { level: string }[] };
    const faults = (): unknown[] => report.findings.filter(({ level }) => level === 'fault');
    const healthy = async (): Promise<boolean> => {
      const { stdout } = await run('dist/doctor/main.js', '--json').catch((error: { stdout: string }) => error);
      report = JSON.parse(stdout) as typeof report;
      return faults().length === 0;
    };
    await eventually(() => `nothing is wrong any more, such as ${JSON.stringify(faults())}`, healthy);
    expect(report).toMatchObject({ ok: true, mode: 'mesh' });
    expect(JSON.stringify(report)).not.toContain('No ragmesh answers');
    const folder = join(eight.mesh.dataDir, 'a-backup');
    await run('dist/backup/main.js', 'backup', '--to', folder);
    const { positions, key } = await readManifest(folder);
    expect(positions.map(({ topic }) => topic)).toContain('document.created');
    const own = await readFile(join(eight.mesh.dataDir, SERVICE_KEY_FILE));
    expect(key?.sha256).toBe(createHash('sha256').update(own).digest('hex'));
  });

  tellsOneStory(
    () => eight,
    () => receiver,
  );

  it('keeps every promise when each service in turn is killed while documents come in', async () => {
    const ids: string[] = [];
    for (const name of serviceNames) {
      const batch = Array.from({ length: DOCUMENTS_PER_KILL }, (_, number) => `${name}-${number}`);
      const uploads = batch.map((id) => uploadPatiently(eight, id));
      await killAndAwait(eight, name);
      await Promise.all(uploads);
      ids.push(...batch);
    }
    for (const id of ids) expect(await eight.api.terminal(id)).toMatchObject({ id, status: 'ready' });
    expect(await eight.oracle.violations()).toEqual([]);
    const { body } = await eight.api.call('GET', '/v1/admin/dead-letters');
    expect(body['data']).toEqual([]);
  }, 300_000);
}

describe('eight processes with events in PostgreSQL', () => promises({ MESH_LOCAL_SERVERS: 'false' }, /^tables/));

describeWithServer('kafka', 'eight processes on Kafka', () => promises({ MESH_LOCAL_SERVERS: 'true' }, /^Kafka/));
