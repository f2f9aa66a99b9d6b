import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisServer } from '@ragmesh/local-servers';
import { FaultProxy, describeWithServer, eventually } from '@ragmesh/testing';
import { RetrievalMesh, type Copy, type Found, type SearchInit } from './retrieval-mesh.js';

let folder: string;
let redis: RedisServer;
let proxy: FaultProxy;
let admin: Redis;
let mesh: RetrievalMesh;
let copy: Copy;

const wasKnown = ({ timings }: Found): boolean => timings.lexical_search_ms === 0 && timings.embed_query_ms === 0;
const versions = ({ results }: Found): number[] => results.map(({ source }) => Number(source!.version));

describeWithServer('redis', 'results in Redis', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ragmesh-results-'));
    redis = await RedisServer.start({ dataDir: folder });
    proxy = await FaultProxy.start({ target: redis.port });
    admin = new Redis(redis.port, '127.0.0.1');
    mesh = await RetrievalMesh.start({ REDIS_URL: `redis://${proxy.address}` });
    copy = await mesh.runCopy();
  });
  afterAll(async () => {
    await mesh?.stop();
    admin.disconnect();
    await proxy.close();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const request = { query: 'Where is the gate?' };

  it('are found by one process and known to the other', async () => {
    await mesh.upload('The gate is at platform 1.', { id: 'gate' });
    let topK = 10;
    // What Redis was too slow for stays in the memory of one process, so each try is another search.
    const [first, elsewhere] = await eventually('what one found is known to the other', async () => {
      const asked = { ...request, topK: (topK += 1) };
      const answers = [await mesh.search(asked), await copy.search(asked)] as const;
      return wasKnown(answers[1]) ? answers : undefined;
    });
    expect(await admin.keys('retrieval:default:default:*')).not.toEqual([]);
    expect(wasKnown(first)).toBe(false);
    expect(elsewhere.results).toEqual(first.results);
  });

  it('become whole answers that one wrote and the other gives, until their document changes', async () => {
    const text = (platform: number) => `The kiosk stands at platform ${platform}.`;
    const upload = (platform: number) =>
      mesh.upload(text(platform), {
        id: 'kiosk',
        collection: 'hall',
        metadata: { open: true, platform },
        replace: true,
      });
    await upload(1);
    let asked: SearchInit = {};
    let topK = 10;
    const [first, elsewhere] = await eventually('what one wrote is given by the other', async () => {
      asked = { query: 'Where is the kiosk?', collection: 'hall', topK: (topK += 1) };
      const answers = [await mesh.query(asked), await copy.query(asked)] as const;
      return answers[1].done.answerRepeated ? answers : undefined;
    });
    expect(first.done.answerRepeated).toBe(false);
    expect(first.citations).toMatchObject([{ documentId: 'kiosk', text: text(1) }]);
    expect(elsewhere).toMatchObject({ text: first.text, citations: first.citations, results: first.results });
    expect(elsewhere.results[0]!.source!.metadata).toEqual({ open: true, platform: 1 });
    for (const [pattern, hours] of Object.entries({ 'api:query:*': 0.5, 'retrieval:default:hall:*': 1 })) {
      const left = await Promise.all((await admin.keys(pattern)).map((key) => admin.pttl(key)));
      expect(left).not.toEqual([]);
      expect(Math.max(...left)).toBeLessThanOrEqual(hours * 3_600_000);
      expect(Math.min(...left)).toBeGreaterThan(0.8 * hours * 3_600_000); // they do not all end at once
    }
    await upload(2);
    for (const ask of [() => mesh.query(asked), () => copy.query(asked)]) {
      await eventually('it has heard of it', async () => (await ask()).text.includes(text(2)));
      const again = await ask();
      expect([again.text, again.results.map(({ source }) => source!.text)]).toEqual([`${text(2)} [1]`, [text(2)]]);
    }
  });

  it('are forgotten by both when a document changes, whichever of them hears of it', async () => {
    for (let version = 2; version <= 6; version += 1) {
      await mesh.upload(`The gate is at platform ${version}.`, { id: 'gate', replace: true });
      const isCurrent = async (ask: (request: SearchInit) => Promise<Found>) =>
        versions(await ask(request))[0] === version;
      await eventually('the one has it', () => isCurrent((wanted) => mesh.search(wanted)));
      await eventually('the other has it', () => isCurrent((wanted) => copy.search(wanted)));
    }
  });

  it('are forgotten although Redis did not hear of the change when it happened', async () => {
    await mesh.search(request);
    await proxy.set({ blackHole: true });
    await mesh.upload('The gate is at platform 7.', { id: 'gate', replace: true });
    await proxy.clear();
    await eventually('the one has it', async () => versions(await mesh.search(request))[0] === 7);
    await eventually('the other has it', async () => versions(await copy.search(request))[0] === 7);
  });

  it('are made anew without Redis, and the answers stay right', async () => {
    await redis.kill();
    expect(versions(await mesh.search({ ...request, topK: 3 }))).toEqual([7]);
    await mesh.upload('The gate is at platform 8.', { id: 'gate', replace: true });
    await eventually('the one has it', async () => versions(await mesh.search(request))[0] === 8);
    await eventually('the other has it within seconds', async () => versions(await copy.search(request))[0] === 8);
    await redis.restart();
  });
});
