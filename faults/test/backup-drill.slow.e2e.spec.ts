import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithServer, seeded } from '@ragmesh/testing';
import { backup } from '../../backup/backup.js';
import type { Manifest } from '../../backup/manifest.js';
import { openInstallation, openTarget } from '../../backup/open-installation.js';
import { restore } from '../../backup/restore.js';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { QdrantStandIn } from '../../services/vector/test/qdrant-stand-in/qdrant-stand-in.js';
import { startServers, startServices, type Servers } from './eight-on-servers.js';

const CALLERS = 4;
const DOCUMENTS = 60;
const ROUNDS = 3;

describeWithServer('kafka', 'eight processes over Kafka, with points in Qdrant', () => {
  const random = seeded(11);
  const closers: (() => Promise<unknown>)[] = [];
  let [folder, api]: [string, ApiClient] = ['', new ApiClient('')];
  let here: Servers;
  let settings: Record<string, string>;

  const servers = async (kafka: boolean): Promise<Servers> => {
    const started = await startServers({ kafka });
    closers.push(() => started.stop());
    return started;
  };
  const qdrant = async (): Promise<Record<string, string>> => {
    const store = await QdrantStandIn.start();
    closers.push(() => store.stop());
    return { VECTOR_STORE: 'qdrant', QDRANT_URL: store.url };
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-drill-'));
    here = await servers(true);
    settings = { ...here.environment, ...(await qdrant()), SERVICE_AUTH_KEY: 'the-same-key-here-and-elsewhere-00' };
    const mesh = await startServices(settings);
    closers.push(() => mesh.close());
    api = new ApiClient(mesh.url);
  }, 300_000);
  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const change = async (): Promise<void> => {
    const id = `document-${Math.floor(random() * DOCUMENTS)}`;
    if (random() < 0.25) await api.call('DELETE', `/v1/documents/${id}`);
    else await api.call('PUT', `/v1/documents/${id}`, { text: `Version ${random()} of ${id}. `.repeat(40) });
  };

  const backUp = async (to: string): Promise<Manifest> => {
    const installation = await openInstallation(settings);
    return backup(installation, to).finally(() => installation.close());
  };

  /** Backs up amid changes. @returns the folder. */
  const backUpUnderLoad = async (round: number): Promise<string> => {
    const to = join(folder, `backup-${round}`);
    let done = false;
    const callers = Array.from({ length: CALLERS }, async () => {
      while (!done) {
        await change();
        await delay(10);
      }
    });
    await delay(1_000 + random() * 2_000);
    const { positions } = await backUp(to).finally(async () => {
      done = true;
      await Promise.all(callers);
    });
    expect(positions.length).toBeGreaterThan(10);
    return to;
  };

  it('are backed up under load and restored elsewhere, where the oracle holds, again and again', async () => {
    const kept = Array.from({ length: 5 }, (_, number) => `kept-${number}`);
    for (const [number, id] of kept.entries())
      await api.call('PUT', `/v1/documents/${id}`, { text: `Notice period ${number} is ${number} days.` });
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = await backUpUnderLoad(round);
      const there = await servers(false);
      const { KAFKA_BROKERS = '', KAFKA_SESSION_TIMEOUT = '' } = here.environment;
      const elsewhere = {
        ...settings,
        ...there.environment,
        ...(await qdrant()),
        ...{ KAFKA_BROKERS, KAFKA_SESSION_TIMEOUT },
      };
      await expect(restore(from, () => openTarget(elsewhere))).rejects.toThrow(/holds events of another time/);
      const environment = { ...elsewhere, RAGMESH_TOPIC_PREFIX: `round-${round}.` };
      await restore(from, () => openTarget(environment));
      const restored = await startServices(environment);
      try {
        const client = new ApiClient(restored.url);
        for (const id of kept) expect((await client.terminal(id, 120_000)).status).toBe('ready');
        expect(await there.oracle.violations()).toEqual([]);
        const { body } = await client.call('POST', '/v1/search', { query: 'Notice period 3', mode: 'lexical' });
        expect(JSON.stringify(body)).toContain('kept-3');
      } finally {
        await restored.close();
      }
    }
    expect(await here.oracle.violations()).toEqual([]);
  }, 900_000);
});
