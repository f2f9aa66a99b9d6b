import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts, type KafkaServer } from '@ragmesh/local-servers';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { startFaultyStandalone } from './faulty-standalone.js';
import { ownKafka } from './on-both-buses.js';

const MAIN = fileURLToPath(new URL('./deadly-main.mjs', import.meta.url));
const DEADLY = 'deadly';
const MOST_CRASHES = 12;

/** A process that dies of one document and is started again each time, as any supervisor does. */
class Restarted {
  crashes = 0;
  #child: ChildProcess | undefined;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(
    private readonly dataDir: string,
    private readonly port: number,
    private readonly brokers: string,
  ) {}

  start(): void {
    this.#running = this.#supervise();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child?.kill('SIGTERM');
    await this.#running;
  }

  async #supervise(): Promise<void> {
    while (!this.#stopped && this.crashes < MOST_CRASHES) {
      const env = {
        PATH: process.env['PATH'],
        RAGMESH_DATA_DIR: this.dataDir,
        SERVER_PORT: String(this.port),
        APP_EMBEDDINGS_BACKEND: 'mock',
      };
      this.#child = fork(MAIN, ['document', DEADLY, this.brokers], {
        env,
        execArgv: ['--no-warnings'],
        stdio: 'ignore',
      });
      const [, signal] = (await once(this.#child, 'exit')) as [number | null, string | null];
      if (signal === 'SIGKILL') this.crashes += 1;
      else await delay(500);
    }
  }
}

/** Asks until the process that answers lives long enough to. */
const patiently = <T>(ask: () => Promise<T | undefined>) =>
  eventually('an answer', () => ask().catch(() => undefined), 150_000); // it died, or is not there yet

function crashingEvent(kafka?: () => KafkaServer): void {
  let dataDir: string;
  let restarted: Restarted;
  let api: ApiClient;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-crashing-'));
    const [port] = await freePorts(1);
    api = new ApiClient(`http://127.0.0.1:${port}`);
    restarted = new Restarted(dataDir, port!, kafka?.().brokers.join(',') ?? '');
    restarted.start();
  });
  afterAll(async () => {
    await restarted.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  });

  it('is parked after three deaths; its document fails and all others are served', async () => {
    const put = (id: string) =>
      patiently(async () => {
        const { status } = await api.call('PUT', `/v1/documents/${id}`, { text: `The words of ${id}. `.repeat(40) });
        return status === 202 ? true : undefined;
      });
    const ids = Array.from({ length: 5 }, (_, number) => `innocent-${number}`);
    await Promise.all([put(DEADLY), ...ids.map(put)]);
    for (const id of ids) expect((await patiently(() => api.terminal(id))).status).toBe('ready');
    const codes = await patiently(async () => {
      const { body } = await api.call('GET', `/v1/admin/dead-letters?subject=${DEADLY}`);
      const data = body['data'] as { code: string }[];
      return data.length > 0 ? data.map(({ code }) => code) : undefined;
    });
    expect(codes).toContain('EVENT.CRASHED_PROCESS');
    expect(restarted.crashes).toBeGreaterThanOrEqual(3);
    expect(restarted.crashes).toBeLessThan(MOST_CRASHES);
  }, 400_000);

  it('leaves every promise kept', async () => {
    await restarted.stop();
    const mesh = await startFaultyStandalone({ kafka: kafka?.(), dataDir });
    try {
      expect((await mesh.api.terminal(DEADLY, 60_000)).status).toBe('failed');
      expect(await mesh.oracle.violations()).toEqual([]);
    } finally {
      await mesh.close();
    }
  });
}

describe('an event that crashes the process, over tables', () => crashingEvent());

describeWithServer('kafka', 'an event that crashes the process, over Kafka', () => {
  const kafka = ownKafka();
  crashingEvent(kafka);
});
