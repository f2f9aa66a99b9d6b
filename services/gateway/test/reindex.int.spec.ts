import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { documentService } from '@ragmesh/service-document';
import { embeddingService } from '@ragmesh/service-embedding';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { retrievalService } from '@ragmesh/service-retrieval';
import { vectorService } from '@ragmesh/service-vector';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { gatewayService } from '../src/gateway.service.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as their shapes are asserted
type Body = Record<string, any>;
type Place = readonly [document: string, start: number, end: number];

const DOCUMENTS = 24;
const collection = 'birds';
let mesh: ServiceMesh;
let folder: string;
let url: string;

const birds = ['heron', 'curlew', 'osprey', 'plover', 'wagtail', 'bittern', 'dunlin', 'egret'];
const nameOf = (n: number): string => `${birds[n % birds.length]}${n}`;
const textOf = (n: number, word = 'marsh'): string =>
  Array.from(
    { length: 30 },
    (_, at) => `The ${nameOf(n)} of ${word} ${at} was seen on day ${n * at} by the lake.`,
  ).join(' ');

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Body }> {
  const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${url}${path}`, { method, ...init });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

async function ready(id: string, version = 1): Promise<void> {
  const { body } = await call('GET', `/v1/documents/${id}?wait=60`);
  expect(body).toMatchObject({ status: 'ready', version });
}

async function placesOf(id: string): Promise<string[]> {
  const { body } = await call('GET', `/v1/documents/${id}/chunks?limit=200`);
  return (body['data'] ?? []).map(({ start, end }: Body) => JSON.stringify([id, start, end] satisfies Place));
}

async function places(): Promise<Set<string>> {
  const ids = Array.from({ length: DOCUMENTS }, (_, n) => `d${n}`);
  return new Set((await Promise.all(ids.map(placesOf))).flat());
}

/** What a search for a word all texts have finds: each answer's places. */
async function search(query = 'lake', topK = 100): Promise<{ status: number; places: string[]; ids: Set<string> }> {
  const { status, body } = await call('POST', '/v1/search', { query, collection, top_k: topK, mode: 'hybrid' });
  const results = (body['results'] ?? []) as Body[];
  return {
    status,
    places: results.map(({ document_id: id, start, end }) => JSON.stringify([id, start, end])),
    ids: new Set(results.map(({ document_id: id }) => id as string)),
  };
}

/** Searches all the time until it is told to end; gives every answer. */
function searching(): { end(): Promise<Awaited<ReturnType<typeof search>>[]> } {
  let isOn = true;
  const answers: Awaited<ReturnType<typeof search>>[] = [];
  const done = (async () => {
    for (let n = 0; isOn; n++) answers.push(await search(`lake day ${n}`)); // none is answered from the cache
  })();
  return {
    end: async () => {
      isOn = false;
      await done;
      return answers;
    },
  };
}

const operation = async (href: string): Promise<Body> => (await call('GET', href)).body;
const generations = async (): Promise<Body[]> =>
  (await call('GET', `/v1/collections/${collection}/generations`)).body['data'];
const states = async (): Promise<unknown[]> => (await generations()).map(({ id, state }) => [id, state]);

async function done(accepted: Body): Promise<Body> {
  const { href } = accepted['operation'];
  return eventually('the operation is done', async () => {
    const now = await operation(href);
    return now['done'] ? now : undefined;
  });
}

const runDocuments = (environment: Record<string, string> = {}) =>
  mesh.run(documentService, {
    RAGMESH_DATA_DIR: folder,
    REINDEX_IN_FLIGHT: '2',
    REINDEX_MIN_OVERLAP: '0',
    REINDEX_KEEP_PREVIOUS: '1h',
    ...environment,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-reindex-'));
  mesh = await ServiceMesh.start();
  await mesh.run(knowledgeService);
  await mesh.run(embeddingService, { APP_EMBEDDINGS_BACKEND: 'mock' });
  await mesh.run(vectorService);
  await mesh.run(retrievalService);
  await runDocuments();
  url = (await mesh.run(gatewayService, { SERVER_PORT: '0', RAGMESH_DATA_DIR: folder })).url!;
  await call('POST', '/v1/collections', { id: collection });
  for (let n = 0; n < DOCUMENTS; n++)
    await call('POST', '/v1/documents', { id: `d${n}`, collection, text: textOf(n), title: `About the ${nameOf(n)}` });
  for (let n = 0; n < DOCUMENTS; n++) await ready(`d${n}`);
});
afterAll(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('reindex', () => {
  it('keeps the chunking and the search defaults of a collection', async () => {
    const defaults = { mode: 'hybrid', top_k: 7, rerank: false, self_check: false, granularity: 'chunk' };
    const change = { defaults, chunking: { size: 48, overlap: 4 } };
    expect(await call('PATCH', `/v1/collections/${collection}`, change)).toMatchObject({ status: 200, body: change });
    const { body } = await call('PATCH', `/v1/collections/${collection}`, { title: 'Birds' });
    expect(body).toMatchObject({ title: 'Birds', ...change });
    const bad = await call('PATCH', `/v1/collections/${collection}`, { defaults: { top_k: 1000 } });
    expect(bad).toMatchObject({ status: 422, body: { code: 'REQUEST.INVALID' } });
    expect(bad.body['detail']).toContain('top_k');
  });

  it('refuses what it cannot do', async () => {
    const path = `/v1/collections/${collection}`;
    const wide = await call('POST', `${path}/reindex`, { chunk_size: 64, chunk_overlap: 40 });
    expect(wide).toMatchObject({ status: 422, body: { code: 'REQUEST.INVALID' } });
    expect(await call('POST', '/v1/collections/nowhere/reindex', {})).toMatchObject({ status: 404 });
    expect(await call('POST', '/reindex', { collection: 'nowhere' })).toMatchObject({
      status: 404,
      body: { code: 'COLLECTION.NOT_FOUND' },
    });
    await call('POST', '/v1/collections', { id: 'empty' });
    expect(await call('POST', '/v1/collections/empty/reindex', {})).toMatchObject({ status: 422 });
    expect(await call('POST', `${path}/generations/7/rollback`)).toMatchObject({ status: 404 });
    expect(await call('POST', `${path}/reindex/abort`)).toMatchObject({ status: 409 });
  });

  it('builds beside the live index while documents change, survives a restart, cuts over at once and rolls back', async () => {
    const before = await places();
    expect(await states()).toEqual([[0, 'live']]);
    const readers = searching();
    const accepted = await call('POST', `/v1/collections/${collection}/reindex`, {});
    expect(accepted).toMatchObject({ status: 202, body: { generation: 1, status: 'processing' } });
    const again = await call('POST', `/v1/collections/${collection}/reindex`, {});
    expect(again).toMatchObject({ status: 409, body: { code: 'REINDEX.RUNNING' } });
    const { href } = accepted.body['operation'];
    await eventually('some documents are there', async () => (await operation(href))['receipt'].documents_done >= 3);
    await mesh.halt('document');
    await runDocuments();
    const resumed = await eventually('the operation again', async () => {
      const now = await operation(href);
      return now['receipt'] && now;
    });
    expect(resumed['receipt'].documents_done).toBeGreaterThanOrEqual(3);
    await call('POST', '/v1/documents', { id: 'new', collection, text: textOf(90, 'fen') });
    await call('PUT', '/v1/documents/d5', { collection, text: textOf(5, 'tarn') });
    expect((await call('DELETE', '/v1/documents/d7')).status).toBe(202);

    const ended = await done(accepted.body);
    expect(ended).toMatchObject({ kind: 'reindex', status: 'ready', progress: 1, error: null });
    expect(ended['receipt']).toMatchObject({ collection, generation: 1, documents: ended['receipt'].documents_done });
    expect(ended['receipt'].quality.questions).toBeGreaterThan(20);
    expect(ended['receipt'].quality.self_retrieval).toBeGreaterThan(0.7);
    await ready('new');
    await ready('d5', 2);
    await eventually('d7 is gone', async () => (await call('GET', '/v1/documents/d7')).status === 404);
    const answers = await readers.end();

    const changed = (place: string): boolean => /^\["(new|d5|d7)"/.test(place);
    const after = await places();
    expect([...after].filter((place) => before.has(place))).toEqual([]);
    expect(answers.length).toBeGreaterThan(5);
    for (const { status, places: found } of answers) {
      expect(status).toBe(200);
      expect(found.length).toBeGreaterThan(0);
      const stable = found.filter((place) => !changed(place));
      expect(new Set(stable.map((place) => before.has(place))).size).toBe(1); // all of one generation
      expect(stable.every((place) => before.has(place) || after.has(place))).toBe(true);
    }
    expect(await states()).toEqual([
      [1, 'live'],
      [0, 'previous'],
    ]);
    expect((await generations())[0]).toMatchObject({ chunking: { size: 48, overlap: 4 }, documents: DOCUMENTS });
    expect((await search('fen')).ids).toContain('new');
    expect((await search('tarn')).ids).toContain('d5');
    expect((await search(nameOf(7))).ids).not.toContain('d7');

    await call('POST', '/v1/documents', { id: 'later', collection, text: textOf(91, 'mere') });
    await ready('later');
    const back = await call('POST', `/v1/collections/${collection}/generations/0/rollback`);
    expect(back.status).toBe(202);
    expect(await done(back.body)).toMatchObject({ status: 'ready' });
    expect(await states()).toEqual([
      [1, 'previous'],
      [0, 'live'],
    ]);
    expect([...(await places())].filter((place) => !changed(place)).every((place) => before.has(place))).toBe(true);
    const { ids, places: found } = await search('mere');
    expect(ids).toContain('later');
    expect(found.filter((place) => !/"(later|new|d5)"/.test(place)).every((place) => before.has(place))).toBe(true);

    expect((await call('DELETE', `/v1/collections/${collection}/generations/1`)).status).toBe(204);
    expect(await states()).toEqual([[0, 'live']]);
    expect((await call('POST', `/v1/collections/${collection}/generations/1/rollback`)).status).toBe(404);
    await eventually('its points are gone', async () => {
      const { rows } = await mesh
        .database('vector')
        .query<{ n: number }>('SELECT count(*)::int AS n FROM point WHERE generation = 1');
      return rows[0]!.n === 0;
    });
  });

  it('serves nothing kept of the generation before, and gives no event up', async () => {
    const kept = 'kept';
    const named = { title: 'Kept', metadata: { area: 'lake' } };
    await call('POST', '/v1/documents', { id: 'once', collection: kept, text: textOf(1), ...named });
    await ready('once');
    // Of words that cannot be read: nothing of it may come with the ones readers go on seeing.
    await call('PUT', '/v1/documents/once', { collection: kept, text: ' ', title: 'Lost', metadata: { area: 'lost' } });
    const { body } = await call('GET', '/v1/documents/once?wait=60');
    expect(body).toMatchObject({ status: 'failed', title: 'Kept', metadata: { area: 'lake' } });
    const asked = { query: 'lake', collection: kept, top_k: 100, filters: { area: 'lake' } };
    const found = async (): Promise<string[]> =>
      (await call('POST', '/v1/search', asked)).body['results'].map(({ document_id: id, start, end }: Body) =>
        JSON.stringify([id, start, end] satisfies Place),
      );
    const isFresh = async (): Promise<boolean> => {
      const [places, chunks] = [await found(), new Set(await placesOf('once'))];
      return places.length > 0 && places.every((place) => chunks.has(place));
    };
    expect(await isFresh()).toBe(true);
    const before = await found();
    const isCounted = async (): Promise<boolean> =>
      (await call('GET', `/v1/collections/${kept}`)).body['chunks'] === (await placesOf('once')).length;

    await done((await call('POST', `/v1/collections/${kept}/reindex`, { chunk_size: 32 })).body);
    await eventually('what is found are its chunks', isFresh);
    await eventually('its chunks are counted', isCounted);
    expect(await found()).not.toEqual(before);
    const { body: page } = await call('GET', '/v1/documents/once/chunks?limit=1');
    const secondPage = `/v1/documents/once/chunks?limit=1&cursor=${page['next_cursor'] as string}`;
    expect((await call('GET', secondPage)).body).toMatchObject({ data: [{ ordinal: 1 }] });

    await done((await call('POST', `/v1/collections/${kept}/generations/0/rollback`)).body);
    expect(await call('GET', secondPage)).toMatchObject({ status: 422, body: { field: 'cursor' } });
    await eventually('what is found are its chunks again', isFresh);
    await eventually('its chunks are counted again', isCounted);
    expect(await found()).toEqual(before);
    expect((await call('GET', '/v1/admin/dead-letters')).body['data']).toEqual([]);
  });

  it('leaves readers what they see when the new generation finds less, and when it is called off', async () => {
    const before = (await search('lake')).places;
    await mesh.halt('document');
    await runDocuments({ REINDEX_MIN_OVERLAP: '1' });
    const path = `/v1/collections/${collection}/generations`;
    await eventually('the generations again', async () => (await call('GET', path)).status === 200);
    const accepted = await call('POST', `/v1/collections/${collection}/reindex`, { chunk_size: 32 });
    const failed = await done(accepted.body);
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'REINDEX.QUALITY_TOO_LOW' } });
    expect(failed['error'].message).toMatch(/overlap \d+ % instead of 100 %/);
    expect(failed['receipt'].quality.overlap).toBeLessThan(1);
    expect((await generations())[0]).toMatchObject({
      id: 2,
      state: 'failed',
      quality: { overlap: expect.any(Number) },
    });
    const other = await call('POST', '/reindex', { collection });
    expect((await generations())[0]).toMatchObject({ id: 3, chunking: { size: 48, overlap: 4 } });
    const aborted = await call('POST', `/v1/collections/${collection}/reindex/abort`);
    expect(aborted).toMatchObject({ status: 200, body: { generation: 3, status: 'failed' } });
    const calledOff = await done(other.body);
    expect(calledOff).toMatchObject({ status: 'failed', error: { code: 'REINDEX.CANCELLED' } });
    expect(calledOff['progress']).toBeLessThan(1);
    expect((await search('lake')).places).toEqual(before);
  });
});
