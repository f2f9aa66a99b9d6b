import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { accessSuite } from './store-suite/access.js';
import { deletionSuite } from './store-suite/deletion.js';
import { filterSuite } from './store-suite/filters.js';
import { generationSuite } from './store-suite/generations.js';
import { rankingSuite } from './store-suite/ranking.js';
import { reconcilerSuite } from './store-suite/reconciler.js';
import { versionSuite } from './store-suite/versions.js';
import { embeddedBatches } from './document.builder.js';
import { VectorMesh, type VectorMeshOptions } from './vector-mesh.js';

/** A store and what a test may do to it behind the service's back. */
export interface StoreUnderTest extends VectorMeshOptions {
  /** Takes points of a collection out of the store, at least that many. @returns how many. */
  lose(mesh: VectorMesh, points: number): Promise<number>;
  /** Makes the only point of a shown version of a document in the collection `spoilt` wrong. @returns how many count as stale. */
  spoil(mesh: VectorMesh, documentId: string): Promise<number>;
  /**
   * Adds a copy of that point under the name of a document that the rows do not know.
   * @returns how many were added: 0 where the store takes none.
   */
  addStray(mesh: VectorMesh, documentId: string, stray: string): Promise<number>;
  /** Lets the next write of many points fail after a part of it. */
  breakNextBulk(mesh: VectorMesh): Promise<void>;
  /** Share of the ten best of a lexical search that must be those of the embedded index, on average. */
  readonly lexicalAgreement: number;
  stop(): Promise<void>;
}

/** What a part of the suite works with, once everything runs. */
export interface SuiteContext {
  readonly mesh: VectorMesh;
  readonly store: StoreUnderTest;
}

/** What every store has to do alike; run by one spec per driver. @param own what this one does beyond. */
export function storeSuite(
  name: string,
  start: () => Promise<StoreUnderTest>,
  own: (context: () => SuiteContext) => void = () => undefined,
): void {
  describe(`the ${name} store`, () => {
    let [mesh, store]: [VectorMesh?, StoreUnderTest?] = [];
    const context = (): SuiteContext => ({ mesh: mesh!, store: store! });
    beforeAll(async () => {
      store = await start();
      mesh = await VectorMesh.start(store);
    });
    afterAll(async () => {
      await mesh?.stop();
      await store?.stop();
    });

    versionSuite(context);
    filterSuite(context);
    accessSuite(context);
    deletionSuite(context);
    generationSuite(context);
    reconcilerSuite(context);
    rankingSuite(context);

    it('keeps tenants apart that use the same ids', async () => {
      const { mesh: own } = context();
      for (const tenant of ['north', 'south']) {
        const document = { id: 'same', texts: [`osprey of the ${tenant}`], tenant };
        await own.stage(document);
        await own.show(document);
      }
      const texts = async (tenant: string) => [
        ...(await own.lexical('osprey', {}, tenant)).map(({ text }) => text),
        ...(await own.dense('osprey of the north', {}, tenant)).map(({ text }) => text),
      ];
      expect(await texts('north')).toEqual(['osprey of the north', 'osprey of the north']);
      expect(await texts('south')).toEqual(['osprey of the south', 'osprey of the south']);
      expect(await texts('nobody')).toEqual([]);
      const [hit] = await own.lexical('osprey', {}, 'north');
      const pointIds = [hit!.pointId];
      const ask = (tenant: string) => own.as(tenant, () => own.client.getPoints({ collection: 'default', pointIds }));
      expect((await ask('north')).hits).toHaveLength(1);
      expect((await ask('south')).hits).toEqual([]);
      const remove = own.event(
        catalogue.removeDocument,
        { documentId: 'same', collection: 'default', version: 1n },
        'south',
      );
      await own.send(remove);
      await own.answerTo(remove);
      expect(await texts('south')).toEqual([]);
      expect(await texts('north')).toHaveLength(2);
    });

    it('stages a batch once, however often it comes', async () => {
      const { mesh: own } = context();
      const document = { id: 'twice', texts: ['plover one', 'plover two'] };
      const [batch] = embeddedBatches(document);
      const events = [1, 2, 3].map(() => own.event(catalogue.chunksEmbedded, batch!));
      await own.send(...events);
      await own.show(document);
      expect(await own.count('twice')).toEqual({ points: 2, visible: 2 });
      expect(await own.store.count({ tenant: 'default', collection: 'default', documentId: 'twice' }, 0)).toBe(2);
      expect(await own.lexical('plover')).toHaveLength(2);
    });

    it('completes a bulk that failed half-way, and shows nothing before', async () => {
      const { mesh: own, store: broken } = context();
      const texts = Array.from({ length: 300 }, (_, n) => `sanderling number ${n}`);
      const document = { id: 'bulk', texts, batchSize: 300 };
      await broken.breakNextBulk(own);
      const event = own.event(catalogue.chunksEmbedded, embeddedBatches(document)[0]!);
      const sent = own.send(event);
      expect(await own.lexical('sanderling')).toEqual([]);
      await sent;
      await eventually('the retry is through', () => own.answersTo(event).length > 0);
      expect(await own.answerTo(event)).toMatchObject({ type: 'vector.indexed', payload: { points: 300 } });
      await own.show(document);
      expect(await own.lexical('sanderling', { topK: 1000 })).toHaveLength(300);
      expect(await own.store.count({ tenant: 'default', collection: 'default', documentId: 'bulk' }, 1)).toBe(300);
    });

    it('finds the same after a restart', async () => {
      const { mesh: own } = context();
      const ask = async () =>
        (await own.lexical('sanderling 7')).map(({ pointId, score }) => [pointId, score.toFixed(3)]);
      const before = await ask();
      await own.restart();
      expect(await ask()).toEqual(before);
    });

    own(context);
  });
}
