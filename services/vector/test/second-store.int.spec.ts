import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { EVERYTHING, inContext } from '@ragmesh/observability';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { bytesOf, vectorOf, type DocumentOptions } from './document.builder.js';
import { startPgvector } from './pgvector-server.js';
import { startQdrant, type Qdrant } from './qdrant-server.js';
import { build } from './store-suite/generations.js';
import { VectorMesh } from './vector-mesh.js';

const collection = 'shore';
const scope = { tenant: 'default', collection };
const everybody = [EVERYTHING];
const bob = ['jwt:bob'];

const as = <T>(principals: readonly string[], work: () => T): T =>
  inContext({ tenant: 'default', requestId: randomUUID(), subject: 'spec', principals }, work);

describeWithServer('pgvector', 'Qdrant with a second store', () => {
  let [qdrant, mesh, server]: [Qdrant?, VectorMesh?, Awaited<ReturnType<typeof startPgvector>>?] = [];
  const own = () => mesh!;
  const env: Record<string, string> = {};
  const told: string[] = [];

  const put = async (document: Omit<DocumentOptions, 'collection'>) => {
    await own().stage({ ...document, collection });
    await own().show({ ...document, collection });
  };
  /** What each way to ask finds for somebody, the texts in no order, and whether the second store gave it. */
  const found = (principals: readonly string[] = everybody) =>
    as(principals, async () => {
      const [query, vector, { client }] = ['knot', bytesOf(vectorOf('knot')), own()];
      const lexical = await client.searchLexical({ collection, query, topK: 10 });
      const dense = await client.searchDense({ collection, vector, topK: 10 });
      const both = await client.searchHybrid({ collection, query, vector, topK: 10, alpha: 0.5, withChunks: 10 });
      const points = await client.getPoints({ collection, pointIds: lexical.hits.map(({ pointId }) => pointId) });
      const hybrid = { ...both, hits: both.hits.map(({ chunk }) => chunk!) };
      return [lexical, dense, hybrid, points].map(({ hits, secondStore }) => ({
        ...{ texts: hits.map(({ text }) => text).toSorted(), secondStore },
      }));
    });
  const alike = (texts: string[], secondStore: boolean) => Array.from({ length: 4 }, () => ({ texts, secondStore }));
  const answered = () => eventually('somebody answers', () => found().catch(() => undefined));
  const back = async () => {
    qdrant!.proxy.down(false);
    await eventually('the first store answers', async () => (await found()).every(({ secondStore }) => !secondStore));
  };

  beforeAll(async () => {
    server = await startPgvector();
    qdrant = await startQdrant();
    Object.assign(env, qdrant.env, { RECONCILE_INTERVAL_SECONDS: '0' });
    const databaseUrl = (name: string) => server!.server.url(name);
    mesh = await VectorMesh.start({ env, databaseUrl, log: (line) => void told.push(line) });
    await put({ id: 'early', texts: ['an early knot'] });
    env['VECTOR_SECOND_STORE'] = 'pgvector';
    await mesh.restart();
    await put({ id: 'late', texts: ['a late knot', 'another late knot'] });
    await put({ id: 'secret', texts: ['a secret knot'] });
    await as(everybody, () =>
      own().client.restrictAccess({ collection, documentId: 'secret', principals: ['jwt:ada'], revision: 1n }),
    );
  });
  afterAll(async () => {
    await mesh?.stop();
    await qdrant?.stop();
    await server?.stop();
  });

  it('answers the same from there while it is away, also what was there before, and says so', async () => {
    const texts = ['a late knot', 'a secret knot', 'an early knot', 'another late knot'];
    expect(await found()).toEqual(alike(texts, false));
    const stamp = await own().store.shownStamp(scope);
    qdrant!.proxy.down(true);
    expect(await answered()).toEqual(alike(texts, true));
    expect(await found(bob)).toEqual(alike(['a late knot', 'an early knot', 'another late knot'], true));
    expect(await own().store.shownStamp(scope)).toBe(stamp);
    expect(told.filter((line) => line.includes('The vector store is away'))).toHaveLength(1);
    await back();
  });

  it('shows nothing there that was deleted or hidden meanwhile, and makes up for it', async () => {
    qdrant!.proxy.down(true);
    const event = own().event(catalogue.removeDocument, { documentId: 'late', collection, version: 1n });
    const removed = own().send(event);
    const left = alike(['a secret knot', 'an early knot'], true);
    await eventually('it is gone', async () => expect(await answered()).toEqual(left) === undefined);
    await as(everybody, () => own().client.restrictAccess({ collection, principals: ['jwt:ada'], revision: 1n }));
    expect((await found(bob)).flatMap(({ texts }) => texts)).toEqual([]);
    expect((await found(['jwt:ada'])).slice(0, 3)).toEqual(left.slice(0, 3));
    qdrant!.proxy.down(false);
    await removed;
    expect((await own().answerTo(event)).payload).toMatchObject({ pointsRemoved: 2n, remaining: 0n });
    await back();
    expect(await found()).toEqual(alike(['a secret knot', 'an early knot'], false));
  });

  it('follows a version and a generation that were shown', async () => {
    await put({ id: 'early', version: 2, texts: ['an updated knot'] });
    qdrant!.proxy.down(true);
    expect(await answered()).toEqual(alike(['a secret knot', 'an updated knot'], true));
    await back();
    await build(own(), { id: 'early', version: 2, collection, texts: ['a new knot'] }, 1);
    await build(own(), { id: 'secret', collection, texts: ['a new secret knot'] }, 1);
    await own().store.cutOver(scope, 1);
    qdrant!.proxy.down(true);
    expect(await answered()).toEqual(alike(['a new knot', 'a new secret knot'], true));
    await back();
  });

  it('refuses rather than answer from a second store that may lack something', async () => {
    await own().database.query('DELETE FROM point_search');
    qdrant!.proxy.down(true);
    const isHeldUp = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const holding = own().database.transaction(async (tx) => {
      await tx.query('LOCK TABLE point_search IN ACCESS EXCLUSIVE MODE');
      isHeldUp.resolve();
      await goOn.promise;
    });
    await isHeldUp.promise;
    await own().restart();
    const request = { collection, query: 'knot', topK: 1 };
    const search = as(everybody, () => own().client.searchLexical(request, { deadlineMs: 5_000 }));
    const refused = await search.catch((error: unknown) => error);
    goOn.resolve();
    await holding;
    expect(refused).toMatchObject({ code: 'VECTOR.UNAVAILABLE' });
    expect(await answered()).toEqual(alike(['a new knot', 'a new secret knot'], true));
  });
});
