import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { embeddedBatches } from './document.builder.js';
import { failOneInsert } from './fail-one-insert.js';
import { WRITE } from './failing-proxy.js';
import { startQdrant, type Qdrant } from './qdrant-server.js';
import { storeSuite } from './store-suite.js';
import { build } from './store-suite/generations.js';
import { VectorMesh } from './vector-mesh.js';

async function lose({ client, names }: Qdrant, collection: string, count: number): Promise<number> {
  const filter = { must: [{ key: 'collection', match: { value: collection } }] };
  for (const name of await names()) {
    const { points } = await client.scroll(name, { filter, limit: count, with_payload: false });
    if (points.length === 0) continue;
    await client.delete(name, { wait: true, points: points.map(({ id }) => id) });
    return points.length;
  }
  return 0;
}

async function pointOf({ client, names }: Qdrant, documentId: string, version: number) {
  const must = Object.entries({ document_id: documentId, version }).map(([key, value]) => ({ key, match: { value } }));
  for (const name of await names()) {
    const shown = { filter: { must }, limit: 1, with_payload: true, with_vector: true };
    const [point] = (await client.scroll(name, shown)).points;
    if (point) return { name, id: point.id, payload: point.payload!, vector: point.vector as Record<string, number[]> };
  }
  throw new Error(`Qdrant has no point of ${documentId}, version ${version}.`);
}

storeSuite('qdrant', async () => {
  const qdrant = await startQdrant();
  return {
    env: qdrant.env,
    lexicalAgreement: 0.8,
    lose: (_mesh, points) => lose(qdrant, 'lossy', points),
    async spoil(_mesh, documentId) {
      const { name, id, payload } = await pointOf(qdrant, documentId, 1);
      const { vector } = await pointOf(qdrant, documentId, 2);
      const points = [{ id, vector, payload: { ...payload, hash: 'beef' } }];
      await qdrant.client.upsert(name, { wait: true, points });
      return 1;
    },
    async addStray(_mesh, documentId, stray) {
      const { name, vector, payload } = await pointOf(qdrant, documentId, 1);
      const points = [{ id: randomUUID(), vector, payload: { ...payload, document_id: stray } }];
      await qdrant.client.upsert(name, { wait: true, points });
      return 1;
    },
    breakNextBulk: () => Promise.resolve(qdrant.proxy.failWriteAfter(1)),
    stop: qdrant.stop,
  };
});

describe('what is asked of Qdrant', () => {
  it('names the tenant in every question about points', async () => {
    const qdrant = await startQdrant();
    const mesh = await VectorMesh.start({ env: { ...qdrant.env, RECONCILE_INTERVAL_SECONDS: '0' } });
    const document = (version: number) => ({
      id: 'asked',
      version,
      texts: ['dotterel one', 'dotterel two'],
      tenant: 'acme',
    });
    for (const version of [1, 2]) {
      await mesh.stage(document(version));
      await mesh.show(document(version));
    }
    const [hit] = await mesh.lexical('dotterel', { filters: { $not: { year: 1 } } }, 'acme');
    await mesh.dense('dotterel one', {}, 'acme');
    await mesh.count('asked', 0, 'acme');
    const request = { collection: 'default', pointIds: [hit!.pointId] };
    expect((await mesh.as('acme', () => mesh.client.getPoints(request))).hits).toHaveLength(1);
    await mesh.store.repair({ tenant: 'acme', documentId: 'asked' });
    const remove = { documentId: 'asked', collection: 'default', version: 2n };
    const event = mesh.event(catalogue.removeDocument, remove, 'acme');
    await mesh.send(event);
    await mesh.answerTo(event);
    const questions = qdrant.proxy.requests.filter(({ method, path }) => method === 'POST' && path.includes('/points'));
    const kinds = new Set(questions.map(({ path }) => path.replace(/^.*\/points\/|\?.*$/g, '')));
    expect([...kinds].toSorted()).toEqual(['count', 'delete', 'payload', 'query', 'scroll']);
    const tenant = { key: 'tenant', match: { value: 'acme' } };
    for (const { body } of questions) {
      expect(JSON.parse(body)).toMatchObject({ filter: { must: expect.arrayContaining([tenant]) } });
    }
    const writes = qdrant.proxy.requests.filter(({ method, path }) => method === 'PUT' && path.includes('/points'));
    for (const { path } of writes) expect(path).toContain('wait=true');
    await mesh.stop();
    await qdrant.stop();
  });
});

describe('a range of texts', () => {
  it('is looked for by Qdrant itself, however many points before it rank higher', async () => {
    const qdrant = await startQdrant();
    const mesh = await VectorMesh.start({ env: { ...qdrant.env, RECONCILE_INTERVAL_SECONDS: '0' } });
    const early = Array.from({ length: 40 }, (_, n) => `plover plover ${n}`);
    for (const document of [
      { id: 'early', texts: early, metadata: { day: '2025-05-31' } },
      { id: 'late', texts: ['plover and other waders'], metadata: { day: '2025-06-01' } },
    ]) {
      await mesh.stage(document);
      await mesh.show(document);
    }
    const questions = () => qdrant.proxy.requests.filter(({ path }) => path.endsWith('/points/query')).length;
    const before = questions();
    const request = { topK: 1, filters: { day: { $gte: '2025-06-01' } } };
    const found = [await mesh.lexical('plover', request), await mesh.dense('plover', request)];
    expect(found).toMatchObject([[{ documentId: 'late' }], [{ documentId: 'late' }]]);
    expect(questions() - before).toBe(2);
    await mesh.stop();
    await qdrant.stop();
  });
});

describe('a Qdrant that was restored from a backup', () => {
  it('gets back what it lacks without being asked, at the start and from time to time', async () => {
    const qdrant = await startQdrant();
    const mesh = await VectorMesh.start({ env: { ...qdrant.env, RECONCILE_INTERVAL_SECONDS: '200ms' } });
    const document = { id: 'restored', texts: ['dunlin one', 'dunlin two', 'dunlin three'] };
    await mesh.stage(document);
    await mesh.show(document);
    for (const restart of [false, true]) {
      expect(await lose(qdrant, 'default', 2)).toBe(2);
      if (restart) await mesh.restart();
      await eventually('every point is found again', async () => (await mesh.lexical('dunlin')).length === 3);
    }
    await mesh.stop();
    await qdrant.stop();
  });
});

describe("the alias of a tenant's collection", () => {
  let qdrant: Qdrant;
  let mesh: VectorMesh;
  const scope = { tenant: 'default', collection: 'default' };
  const found = async () => (await mesh.lexical('knot')).map(({ text }) => text).toSorted();
  const put = async (id: string, collection = 'default') => {
    const document = { id, collection, texts: [`${id} knot`] };
    await mesh.stage(document);
    await mesh.show(document);
  };
  beforeAll(async () => {
    qdrant = await startQdrant();
    mesh = await VectorMesh.start({ env: { ...qdrant.env, RECONCILE_INTERVAL_SECONDS: '0' } });
  });
  afterAll(async () => {
    await mesh.stop();
    await qdrant.stop();
  });

  it('is made anew when it went with the last points of another collection', async () => {
    await put('gone');
    await mesh.removeDocument('gone', 1);
    const other = { id: 'other', collection: 'reindexed', texts: ['other knot'] };
    await put('other', 'reindexed');
    await build(mesh, other, 1);
    await mesh.store.cutOver({ ...scope, collection: 'reindexed' }, 1);
    await mesh.store.drop({ ...scope, collection: 'reindexed' }, 0);
    await put('next');
    expect(await found()).toEqual(['next knot']);
  });

  it('is made anew by the next version shown when another process lost it', async () => {
    const { aliases } = await qdrant.client.getAliases();
    const actions = aliases
      .filter(({ collection_name: name }) => name.endsWith('-g0') && name.startsWith(qdrant.env.QDRANT_COLLECTION))
      .map(({ alias_name }) => ({ delete_alias: { alias_name } }));
    await qdrant.client.updateCollectionAliases({ actions });
    expect(await found()).toEqual([]);
    await put('later');
    expect(await found()).toEqual(['later knot', 'next knot']);
  });

  it('stays with the generation shown while a batch was on its way into the one before', async () => {
    const alias = async () => (await mesh.store.liveGeneration(scope)) + ': ' + (await found()).join();
    for (const id of ['next', 'later']) await build(mesh, { id, texts: [`new ${id} knot`] }, 1);
    const write = qdrant.proxy.holdNext('PUT', WRITE);
    const event = mesh.event(catalogue.chunksEmbedded, embeddedBatches({ id: 'upload', texts: ['a knot'] })[0]!);
    const sent = mesh.send(event);
    await write.arrived;
    const shown = mesh.store.cutOver(scope, 1);
    await Promise.race([shown, new Promise((resolve) => setTimeout(resolve, 300))]);
    write.release();
    await Promise.all([shown, sent]);
    expect(await alias()).toBe('1: new later knot,new next knot');
  });
});

describe('a Qdrant that fails', () => {
  let qdrant: Qdrant;
  let mesh: VectorMesh;
  const document = { id: 'kept', texts: ['avocet one', 'avocet two'] };
  const place = { tenant: 'default', collection: 'default' };
  const env: Record<string, string> = {};
  beforeAll(async () => {
    qdrant = await startQdrant();
    Object.assign(env, qdrant.env, { QDRANT_TIMEOUT: '10s' });
    mesh = await VectorMesh.start({ env });
    await mesh.stage(document);
    await mesh.show(document);
  });
  afterAll(async () => {
    await mesh.stop();
    await qdrant.stop();
  });

  it('is an error one may try again after, and answers again once it is back', async () => {
    qdrant.proxy.down(true);
    await expect(mesh.lexical('avocet')).rejects.toMatchObject({ code: 'VECTOR.UNAVAILABLE', retry: 'transient' });
    qdrant.proxy.down(false);
    const hits = await eventually('an answer', () => mesh.lexical('avocet').catch(() => undefined));
    expect(hits).toHaveLength(2);
  });

  it('keeps events waiting, and loses none', async () => {
    const waiting = { id: 'waiting', texts: ['godwit one'] };
    qdrant.proxy.down(true);
    const event = mesh.event(catalogue.chunksEmbedded, embeddedBatches(waiting)[0]!);
    const sent = mesh.send(event);
    await eventually('the first attempt failed', async () => {
      const sql = 'SELECT 1 FROM inbox WHERE event_id = $1 AND attempt > 1';
      return (await mesh.database.query(sql, [event.id])).rows.length > 0;
    });
    qdrant.proxy.down(false);
    await sent;
    expect(await mesh.answerTo(event)).toMatchObject({ type: 'vector.indexed' });
    await mesh.show(waiting);
    expect(await mesh.lexical('godwit')).toHaveLength(1);
  });

  it('agrees with the rows after a commit that failed when its points were written', async () => {
    await failOneInsert(mesh.database, 'point');
    const texts = Array.from({ length: 200 }, (_, n) => `whimbrel ${n}`);
    await mesh.stage({ id: 'failed-commit', texts, batchSize: 200 });
    expect(await mesh.store.count({ ...place, documentId: 'failed-commit' }, 1)).toBe(200);
    expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    await mesh.removeDocument('failed-commit', 1);
    expect(await mesh.store.count({ ...place, documentId: 'failed-commit' }, 1)).toBe(0);
  });

  it('gets back what it lost of a document while another one cannot be repaired', async () => {
    for (const name of await qdrant.names()) await qdrant.client.deleteCollection(name);
    qdrant.proxy.failWriteAfter(0);
    const { missing } = await mesh.reconciler.reconcile();
    expect([1, 2]).toContain(missing);
    expect(await mesh.reconciler.reconcile()).toEqual({ missing: 3 - missing, extra: 0, stale: 0 });
  });

  it('is filled again when it has lost everything', async () => {
    for (const name of await qdrant.names()) await qdrant.client.deleteCollection(name);
    expect(await mesh.lexical('avocet')).toEqual([]);
    expect(await mesh.reconciler.reconcile()).toEqual({ missing: 3, extra: 0, stale: 0 });
    expect(await mesh.lexical('avocet')).toHaveLength(2);
    expect(await mesh.dense('avocet two', { topK: 1 })).toMatchObject([{ text: 'avocet two' }]);
  });

  it('shows a version whose staged points it lost, from the rows', async () => {
    const update = { id: 'kept', version: 2, texts: ['ruff one', 'ruff two', 'ruff three'] };
    await mesh.stage(update);
    const [name] = await qdrant.names();
    const filter = { must: [{ key: 'version', match: { value: 2 } }] };
    await qdrant.client.delete(name!, { wait: true, filter });
    expect((await mesh.show(update)).payload).toMatchObject({ pointsVisible: 3n });
    expect(await mesh.lexical('ruff')).toHaveLength(3);
  });

  it('does not start with a second store in a database that has no such extension, and names it', async () => {
    env['VECTOR_SECOND_STORE'] = 'pgvector';
    const message = expect.stringContaining('extension "vector" is not available');
    await expect(mesh.restart()).rejects.toMatchObject({ code: 'STORAGE.MIGRATION_FAILED', message });
    env['VECTOR_SECOND_STORE'] = 'none';
    await mesh.restart();
  });
});
