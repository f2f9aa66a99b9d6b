import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ack } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Database, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { DocumentIndexRepository } from '../src/adapters/document-index.repository.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { PointRepository } from '../src/adapters/point.repository.js';
import { openQdrantStore } from '../src/adapters/qdrant/open-qdrant-store.js';
import type { QdrantStore } from '../src/adapters/qdrant/qdrant-store.js';
import { ShownStamps } from '../src/adapters/shown-stamps.js';
import { VisibleRows } from '../src/adapters/visible-rows.js';
import type { VectorConfig } from '../src/vector.config.js';
import type { DocumentOptions } from './document.builder.js';
import { WRITE } from './failing-proxy.js';
import { startQdrant, type Qdrant } from './qdrant-server.js';
import { build } from './store-suite/generations.js';
import { VectorMesh } from './vector-mesh.js';

/** Another copy's store, on the same rows and the same Qdrant. */
function openCopy(database: Database, { env }: Qdrant): QdrantStore {
  const config = { ...env, QDRANT_TIMEOUT: 10, QDRANT_AVERAGE_TERMS: 150 } as unknown as VectorConfig;
  return openQdrantStore(config, {
    database,
    documents: new DocumentIndexRepository(),
    rows: new PointRepository(database),
    generations: new GenerationRepository(database),
    visible: new VisibleRows(database),
    shown: new ShownStamps(database),
    logger: createLogger('vector', 'silent'),
  });
}

describe('two copies of the service on one Qdrant', () => {
  let [qdrant, mesh, other, database]: [Qdrant?, VectorMesh?, QdrantStore?, Database?] = [];
  const copies = () => ({ qdrant: qdrant!, mesh: mesh!, other: other!, database: database! });
  const scopeOf = (collection: string) => ({ tenant: 'default', collection });
  const put = async (document: DocumentOptions) => {
    await mesh!.stage(document);
    await mesh!.show(document);
  };
  const texts = async (query: string, collection: string) =>
    (await mesh!.lexical(query, { collection })).map(({ text }) => text);
  beforeAll(async () => {
    qdrant = await startQdrant();
    mesh = await VectorMesh.start({ env: { ...qdrant.env, RECONCILE_INTERVAL_SECONDS: '0' } });
    const url = String(mesh.database.pool.options.connectionString);
    database = new Database(createPool(url, { max: 4, applicationName: 'other copy' }));
    other = openCopy(database, qdrant);
  });
  afterAll(async () => {
    other?.onModuleDestroy();
    await database?.close();
    await mesh?.stop();
    await qdrant?.stop();
  });

  it('take readers back to a generation that the other one took them from', async () => {
    const collection = 'taken-back';
    await put({ id: 'knot', collection, texts: ['old knot'] });
    await build(copies().mesh, { id: 'knot', collection, texts: ['new knot'] }, 1);
    await copies().other.cutOver(scopeOf(collection), 1);
    expect(await texts('knot', collection)).toEqual(['new knot']);
    await copies().mesh.store.cutOver(scopeOf(collection), 0);
    expect(await texts('knot', collection)).toEqual(['old knot']);
  });

  it('let readers see what they saw when a cut-over is not committed', async () => {
    const { mesh: own } = copies();
    const collection = 'not-committed';
    await put({ id: 'brant', collection, texts: ['old brant'] });
    await build(own, { id: 'brant', collection, texts: ['new brant'] }, 1);
    const cutOver = own.store.cutOver(scopeOf(collection), 1, (work) =>
      own.database.transaction(async (tx) => {
        await work(tx);
        throw new Error('the connection was cut');
      }),
    );
    await expect(cutOver).rejects.toThrow('the connection was cut');
    expect(await texts('brant', collection)).toEqual(['old brant']);
  });

  it('keep what one stages while the other removes the last points that were beside it', async () => {
    const { mesh: own, other: dropping, qdrant: server } = copies();
    await put({ id: 'teal', collection: 'dropped', texts: ['teal'] });
    await build(own, { id: 'teal', collection: 'dropped', texts: ['new teal'] }, 7);
    const removal = server.proxy.holdNext('DELETE', /-g7$/);
    const dropped = dropping.drop(scopeOf('dropped'), 7);
    await removal.arrived;
    let isStaged = false;
    const staged = build(own, { id: 'smew', collection: 'kept', texts: ['smew'] }, 7).then(() => (isStaged = true));
    const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    await eventually('it is staged, or waits for the removal', async () => {
      return isStaged || (await own.database.query(waiting)).rowCount > 0;
    });
    removal.release();
    await Promise.all([dropped, staged]);
    expect(await own.store.count({ ...scopeOf('kept'), documentId: 'smew' }, 1)).toBe(1);
  });

  it('keep what one is staging of a new document while the other repairs it', async () => {
    const { mesh: own, other: repairing, qdrant: server } = copies();
    const texts = Array.from({ length: 200 }, (_, n) => `scoter ${n}`);
    const key = { tenant: 'default', documentId: 'scoter' };
    const first = server.proxy.holdNext('PUT', WRITE);
    const staged = own.stage({ id: 'scoter', texts, batchSize: 200 });
    await first.arrived;
    const second = server.proxy.holdNext('PUT', WRITE);
    first.release();
    await second.arrived;
    let isRepaired = false;
    const repaired = repairing.repair(key).finally(() => (isRepaired = true));
    await eventually('it is repaired, or waits for the row', async () => {
      return isRepaired || (await own.database.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount > 0;
    });
    second.release();
    await staged;
    expect(await repaired).toEqual({ missing: 0, extra: 0, stale: 0 });
    expect(await own.store.count({ ...key, collection: 'default' }, 1)).toBe(200);
  });

  it('show a version while the other removes a collection of Qdrant that has nothing to do with it', async () => {
    const { mesh: own, qdrant: server } = copies();
    const document = { id: 'gadwall', texts: ['gadwall'] };
    await own.stage(document);
    const name = `${server.env.QDRANT_COLLECTION}-16-g9`;
    await server.client.createCollection(name, { vectors: { dense: { size: 16, distance: 'Cosine' } } });
    const change = server.proxy.holdNext('POST', /-16-g9\/points\/payload/);
    const shown = own.show(document);
    await change.arrived;
    await server.client.deleteCollection(name);
    change.release();
    expect(await shown).toMatchObject({ type: 'vector.updated', payload: { pointsVisible: 1n } });
  });

  it('do not wait for each other for ever, in whatever order they take their locks', async () => {
    const { mesh: own, other: second, database: connections } = copies();
    const [documents, generations] = [new DocumentIndexRepository(), new GenerationRepository(connections)];
    const place = { ...scopeOf('crossed'), documentId: 'garganey' };
    await put({ id: 'garganey', collection: 'crossed', texts: ['garganey'] });
    await build(own, { id: 'garganey', collection: 'crossed', texts: ['new garganey'] }, 1);
    const waits = (kind: string) =>
      eventually(`one waits for a lock of kind ${kind}`, async () => {
        const sql = 'SELECT FROM pg_locks WHERE locktype = $1 AND NOT granted';
        return (await own.database.query(sql, [kind])).rowCount > 0;
      });
    const [begun, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const rowFirst = own.store.following(place, () =>
      connections.transaction(async (tx) => {
        await documents.lock(tx, place, place.collection);
        begun.resolve();
        await goOn.promise;
        generations.keepLive(tx, place);
        return ack();
      }),
    );
    await begun.promise;
    const generationFirst = second.following(place, () =>
      connections.transaction(async (tx) => {
        generations.keepLive(tx, place);
        await documents.lock(tx, place, place.collection);
        return ack();
      }),
    );
    await waits('transactionid');
    const shown = second.cutOver(place, 1);
    await waits('advisory');
    goOn.resolve();
    await Promise.all([rowFirst, generationFirst, shown]);
    expect(await texts('garganey', 'crossed')).toEqual(['new garganey']);
  });
});
