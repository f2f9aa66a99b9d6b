import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { Database, createPool } from '@ragmesh/postgres';
import { describeWithServer, eventually, seeded } from '@ragmesh/testing';
import { QdrantStandIn } from '../../services/vector/test/qdrant-stand-in/qdrant-stand-in.js';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';
import { HarmfulHttp } from './harmful-http.js';

describeWithServer('kafka', 'eight processes with a vector store', () => {
  let standIn: QdrantStandIn;
  let line: HarmfulHttp;
  let eight: EightOnServers;
  beforeAll(async () => {
    standIn = await QdrantStandIn.start();
    line = await HarmfulHttp.start(standIn.url);
    const settings = { VECTOR_STORE: 'qdrant', QDRANT_URL: line.url, QDRANT_TIMEOUT: '2s', CACHE_TTL_SECONDS: '0' };
    eight = await startEightOnServers({ kafka: true, settings });
    const { body } = await eight.api.upload({ id: 'tides', text: 'Tides follow the moon and rise twice a day.' });
    expect((await eight.api.terminal(String(body['id']))).status).toBe('ready');
  }, 240_000);
  afterAll(async () => {
    await eight?.close();
    await line?.stop();
    await standIn?.stop();
  });

  const upload = async (prefix: string, count: number): Promise<string[]> => {
    const ids = Array.from({ length: count }, (_, number) => `${prefix}-${number}`);
    for (const id of ids) {
      const { status } = await eight.api.call('PUT', `/v1/documents/${id}`, {
        text: `The words of ${id}. `.repeat(40),
      });
      expect(status).toBe(202);
    }
    return ids;
  };
  const allReady = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) expect(await eight.api.terminal(id, 180_000)).toMatchObject({ status: 'ready', error: null });
  };
  /** The places of all points as the rows have them, and whether readers see each. */
  const rowsOfPoints = async (): Promise<string[]> => {
    const database = new Database(createPool(eight.servers.postgres.url('ragmesh_vector'), { max: 1 }));
    const { rows } = await database
      .query<{ place: string }>(
        `SELECT concat_ws(' ', p.document_id, p.version, p.ordinal, p.version = d.visible_version) AS place
         FROM point p JOIN document_index d USING (tenant, document_id)`,
      )
      .finally(() => database.close());
    return rows.map(({ place }) => place).toSorted();
  };
  /** The same as the store has them. */
  const heldPoints = (): string[] =>
    [...standIn.storage.collections.values()]
      .flatMap((collection) => [...collection.points.values()])
      .map(({ payload: { document_id: id, version, ordinal, visible } }) =>
        [id, version, ordinal, visible === true ? 't' : 'f'].join(' '),
      )
      .toSorted();
  const storeMatchesRows = async (): Promise<void> => {
    expect(heldPoints()).not.toEqual([]);
    expect(heldPoints()).toEqual(await rowsOfPoints());
  };
  const search = () => eight.api.call('POST', '/v1/search', { query: 'What do tides follow?' });

  it('that asks for time are left alone for it with what it refused, and it answers questions meanwhile', async () => {
    const writes: number[] = [];
    line.harm = ({ method, url }) => {
      if (method !== 'PUT' || !url?.includes('/points')) return 'none';
      writes.push(performance.now());
      return writes.length === 1 ? { status: 429, retryAfter: 5 } : 'none';
    };
    const ids = await upload('limited', 1);
    await eventually('the store has refused', () => writes.length === 1);
    expect((await search()).status).toBe(200);
    await allReady(ids);
    expect(writes[1]! - writes[0]!).toBeGreaterThanOrEqual(5_000);
    line.harm = () => 'none';
    await storeMatchesRows();
  }, 120_000);

  it('that is down take uploads, refuse questions with advice, and make up for it', async () => {
    line.harm = () => 'broken';
    const ids = await upload('down', 6);
    for (let question = 0; question < 8; question += 1) {
      const { status, body } = await search();
      expect({ status, body }).toMatchObject({
        status: 503,
        body: { code: expect.stringMatching(/UNAVAILABLE/), retryable: true, retry_after: expect.any(Number) },
      });
    }
    const answer = await eight.api.call('POST', '/v1/query', { query: 'What do tides follow?' });
    expect(answer.status).toBe(503);
    await delay(2_000);
    line.harm = () => 'none';
    await allReady(ids);
    await eventually('questions are answered again', async () => (await search()).status === 200);
    expect((await search()).body['results']).not.toEqual([]);
    expect(await eight.oracle.violations()).toEqual([]);
    await storeMatchesRows();
  }, 300_000);

  it('that is overloaded do not make it worse, and lose nothing', async () => {
    const random = seeded(23);
    line.delayMs = 200;
    line.harm = () => {
      const dice = random();
      if (dice < 0.3) return { status: 429, retryAfter: 1 };
      return dice < 0.4 ? { status: 500 } : 'none';
    };
    const before = line.received;
    const ids = await upload('overloaded', 10);
    await delay(5_000);
    // A document is a handful of requests; a storm would be thousands.
    expect(line.received - before).toBeLessThan(1_000);
    line.harm = () => 'none';
    line.delayMs = 0;
    await allReady(ids);
    expect(await eight.oracle.violations()).toEqual([]);
    await storeMatchesRows();
  }, 300_000);

  it('whose replies are lost show each version whole', async () => {
    let lost = 0;
    line.harm = ({ method }) => {
      if (method !== 'PUT' || lost >= 6) return 'none';
      lost += 1;
      return 'reply lost';
    };
    const ids = await upload('unanswered', 6);
    await allReady(ids);
    line.harm = () => 'none';
    expect(lost).toBeGreaterThan(0);
    expect(await eight.oracle.violations()).toEqual([]);
    await storeMatchesRows();
    const { body } = await eight.api.call('POST', '/v1/search', { query: 'words unanswered', top_k: 50 });
    expect(body['degraded']).toEqual([]);
    const found = body['results'] as { document_id: string; start: number }[];
    expect(found.length).toBeGreaterThan(ids.length);
    const places = found.map(({ document_id: id, start }) => `${id} ${start}`);
    expect(places).toEqual([...new Set(places)]);
  }, 300_000);
});
