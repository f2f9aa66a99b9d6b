import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { catalogue, embeddingV1 } from '@ragmesh/contracts';
import { RedisServer } from '@ragmesh/local-servers';
import { renderMetrics } from '@ragmesh/observability';
import { FaultProxy, describeWithServer, eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { embeddingService } from '../src/embedding.service.js';

const DAY_MS = 86_400_000;
let mesh: ServiceMesh;
let server: RedisServer;
let proxy: FaultProxy;
let admin: Redis;
let folder: string;

async function start(): Promise<void> {
  const redis = { REDIS_URL: `redis://${proxy.address}`, REDIS_CACHE_DB: '3' };
  await mesh.run(embeddingService, { APP_EMBEDDINGS_BACKEND: 'mock', ...redis });
  // Callers notice within a moment that a service they lost is back.
  await eventually('it answers', () =>
    embed('Are you there?').then(
      () => true,
      () => undefined,
    ),
  );
}
const embed = (...texts: string[]) => mesh.as('acme', () => mesh.client(embeddingV1.EmbeddingService).embed({ texts }));
const keys = () => admin.keys('embed:*');

async function redisHits(): Promise<number> {
  const { body } = await renderMetrics();
  return Number(/^rag_cache_hits_total\{cache="embedding\.redis"\} (\d+)/m.exec(body)?.[1] ?? 0);
}

describeWithServer('redis', 'vectors in Redis', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-vectors-'));
    server = await RedisServer.start({ dataDir: folder });
    proxy = await FaultProxy.start({ target: server.port });
    admin = new Redis(server.port, '127.0.0.1', { db: 3 });
    mesh = await ServiceMesh.start(catalogue.chunksEmbedded.topic);
    await start();
  });
  afterAll(async () => {
    await mesh.stop();
    admin.disconnect();
    await proxy.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('outlive the process that made them, under the key of model and text', async () => {
    const first = await eventually('a vector is kept', async () => {
      // A new text each time: one that Redis was too slow to be asked about stays in memory only.
      const answer = await embed(`Which platform? ${performance.now()}`, 'Where to?');
      return (await keys()).length > 0 ? answer : undefined;
    });
    expect((await keys()).every((key) => /^embed:hash@1:[0-9a-f]{64}$/.test(key))).toBe(true);
    const question = await embed('Where to?');
    await mesh.halt('embedding');
    await start();
    const before = await redisHits();
    const again = await eventually('it comes from Redis', async () => {
      const answer = await embed('Where to?');
      return (await redisHits()) > before
        ? answer
        : mesh
            .halt('embedding')
            .then(start)
            .then(() => undefined);
    });
    expect(again).toEqual(question);
    expect(first.dimension).toBe(384);
  });

  it('are kept a day for a question and a week for a chunk', async () => {
    const lives = async () => Promise.all((await keys()).map((key) => admin.pttl(key)));
    await admin.flushdb();
    const question = await eventually('the question', async () => {
      await embed(`A question ${performance.now()}`); // a new text each time, as above
      return (await lives())[0];
    });
    expect(question).toBeLessThanOrEqual(DAY_MS);
    expect(question).toBeGreaterThan(0.89 * DAY_MS);
    await admin.flushdb();
    const chunk = await eventually('the chunk', async () => {
      const chunks = [{ ordinal: 0, text: `A chunk ${performance.now()}`, start: 0, end: 7 }];
      const batch = { documentId: 'd1', version: 1n, collection: 'notes', batch: 0, batches: 1, chunks };
      await mesh.send(catalogue.documentChunked, batch, { consumer: 'embedding' });
      return (await lives()).find((life) => life > DAY_MS); // a question may have come to Redis late
    });
    expect(chunk).toBeLessThanOrEqual(7 * DAY_MS);
    expect(chunk).toBeGreaterThan(6 * DAY_MS);
  });

  it('are made anew while Redis answers nothing', async () => {
    await proxy.set({ blackHole: true });
    const answers = await Promise.all(['one', 'two', 'three', 'one'].map((text) => embed(text)));
    expect(answers[0]).toEqual(answers[3]);
    await proxy.clear();
  });
});
