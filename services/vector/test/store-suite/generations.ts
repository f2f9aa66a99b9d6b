import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { catalogue, eventsV1 } from '@ragmesh/contracts';
import { ack } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { PointRepository } from '../../src/adapters/point.repository.js';
import { inGeneration, readEmbeddedBatch } from '../../src/consumers/embedded-batch.js';
import { bytesOf, embeddedBatches, vectorOf, type DocumentOptions } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';
import { type VectorMesh } from '../vector-mesh.js';

const scope = { tenant: 'default', collection: 'reindexed' };

/** Makes the index of a document anew, beside the one readers see. */
export async function build(
  { database, store }: VectorMesh,
  document: DocumentOptions,
  generation: number,
): Promise<void> {
  const points = new PointRepository(database);
  for (const payload of embeddedBatches(document)) {
    const read = readEmbeddedBatch(scope.tenant, create(eventsV1.ChunksEmbeddedSchema, payload));
    const batch = inGeneration(read, generation);
    await store.following(batch, (changes) =>
      database.transaction(async (tx) => {
        points.upsert(tx, batch);
        await changes.stage(tx, batch);
        return ack();
      }),
    );
  }
}

/** Built beside, cut over at once, taken back. */
export function generationSuite(context: () => SuiteContext): void {
  describe('generations', () => {
    it('are built beside the one readers see, shown by one step, taken back and dropped', async () => {
      const { mesh } = context();
      const { collection } = scope;
      const document = { id: 'g', collection, texts: ['old heron one', 'old heron two'] };
      await mesh.stage(document);
      await mesh.show(document);
      await build(mesh, { ...document, texts: ['new heron one', 'new heron two', 'new heron three'], dimension: 4 }, 1);
      const texts = async () => (await mesh.lexical('heron', { collection })).map(({ text }) => text).toSorted();
      const old = ['old heron one', 'old heron two'];
      expect(await texts()).toEqual(old);
      await expect(mesh.store.drop(scope, 0)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
      await expect(mesh.store.cutOver(scope, 7)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
      const stamp = await mesh.store.shownStamp(scope);
      await mesh.store.cutOver(scope, 1);
      expect(await mesh.store.shownStamp(scope)).not.toBe(stamp);
      expect(await texts()).toEqual(['new heron one', 'new heron three', 'new heron two']);
      await expect(mesh.dense('old heron one', { collection })).rejects.toMatchObject({
        code: 'VECTOR.DIMENSION_MISMATCH',
      });
      await mesh.restart();
      expect(await texts()).toHaveLength(3);
      await mesh.store.cutOver(scope, 0);
      expect(await texts()).toEqual(old);
      expect((await mesh.dense('old heron one', { collection, topK: 1 })).map(({ text }) => text)).toEqual([
        'old heron one',
      ]);
      await mesh.store.drop(scope, 1);
      expect(await mesh.store.count({ ...scope, documentId: 'g' }, 0)).toBe(2);
      await expect(mesh.store.cutOver(scope, 1)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('take batches that name them, are shown once they have all readers see, and leave nothing when dropped', async () => {
      const { mesh } = context();
      const place = { collection: 'renewed' };
      const generation = { ...place, generation: 1 };
      const ask = <T>(call: () => T) => mesh.as('default', call);
      const state = () => ask(() => mesh.client.getGeneration({ ...generation, after: '', limit: 10 }));
      const send = async (document: DocumentOptions) => {
        const batches = embeddedBatches({ ...document, ...place, batchSize: 2 }).map((batch) => ({
          ...batch,
          generation: 1,
        }));
        const events = batches.map((batch) => mesh.event(catalogue.chunksEmbedded, batch));
        await mesh.send(...events);
        return events;
      };
      for (const id of ['a', 'b']) {
        await mesh.stage({ id, ...place, texts: [`old ${id} ibis`] });
        await mesh.show({ id, ...place, texts: [`old ${id} ibis`] });
      }
      const [before] = await mesh.lexical('ibis', place);
      await send({ id: 'a', texts: ['nothing opened it'] });
      expect(await ask(() => mesh.client.openGeneration(generation))).toMatchObject({ live: 0 });
      expect(await state()).toMatchObject({ live: 0, documents: 2n, complete: 0n });
      await send({ id: 'a', texts: ['new a ibis', 'new a ibis two', 'new a ibis three'] });
      expect((await state()).missing).toMatchObject([{ documentId: 'b', version: 1n }]);
      expect(await ask(() => mesh.client.showGeneration(generation))).toMatchObject({ missing: 1n });
      expect((await mesh.lexical('ibis', place)).map(({ text }) => text).toSorted()).toEqual([
        'old a ibis',
        'old b ibis',
      ]);
      const undo = { documentId: 'b', version: 2n, collection: place.collection };
      await mesh.send(mesh.event(catalogue.removeVersion, undo)); // an update that failed leaves what readers see to be made anew
      await send({ id: 'b', texts: ['new b ibis'] });
      await send({ id: 'b', version: 3, texts: ['an update that may yet fail'] }); // takes nothing from what is complete
      const questions = [{ documentId: 'b', text: 'new b ibis', vector: bytesOf(vectorOf('new b ibis')) }];
      const compared = await ask(() => mesh.client.compareGenerations({ ...generation, topK: 5, questions }));
      expect(compared).toMatchObject({ questions: 1, overlap: 1, selfRetrieval: 1 });
      const by = (model: string, liveModel: string) =>
        ask(() => mesh.client.compareGenerations({ ...generation, topK: 5, questions, model, liveModel }));
      expect(await by('m@1', 'stand-in@1')).toMatchObject({ liveSelfRetrieval: 0, selfRetrieval: 1 });
      await expect(by('stand-in@1', '')).rejects.toMatchObject({ code: 'EMBEDDING.UNAVAILABLE' });
      expect(await ask(() => mesh.client.showGeneration(generation))).toMatchObject({ missing: 0n });
      await eventually('who keeps results is told', () =>
        mesh.answers.find(
          ({ type, payload }) =>
            type === 'vector.updated' && payload['collection'] === 'renewed' && !payload['documentId'],
        ),
      );
      expect((await mesh.lexical('ibis', place)).map(({ text }) => text).toSorted()).toEqual([
        ...['new a ibis', 'new a ibis three', 'new a ibis two', 'new b ibis'],
      ]);
      const gone = { ...place, pointIds: [before!.pointId] };
      expect((await ask(() => mesh.client.getPoints(gone))).hits).toEqual([]);
      const around = { ...place, documentId: 'a', version: 1n, ordinals: [0], pointId: before!.pointId };
      expect((await ask(() => mesh.client.getNeighbours(around))).hits).toEqual([]);
      await ask(() => mesh.client.showGeneration({ ...place, generation: 0 }));
      await ask(() => mesh.client.dropGeneration(generation));
      await send({ id: 'a', texts: ['too late'] });
      expect(await mesh.store.count({ ...scope, ...place, documentId: 'a' }, 0)).toBe(1);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('are not dropped while readers are being changed over to them', async () => {
      const { mesh } = context();
      const place = { tenant: 'default', collection: 'raced' };
      const document = { id: 'raced', collection: place.collection, texts: ['old scaup'] };
      await mesh.stage(document);
      await mesh.show(document);
      await mesh.as('default', () => mesh.client.openGeneration({ collection: place.collection, generation: 1 }));
      await build(mesh, { ...document, texts: ['new scaup'] }, 1);
      const [changed, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const shown = mesh.store.cutOver(place, 1, (work) =>
        mesh.database.transaction(async (tx) => {
          const result = await work(tx);
          await tx.query('SELECT'); // everything said before it was done
          changed.resolve();
          await goOn.promise;
          return result;
        }),
      );
      await changed.promise;
      const dropped = mesh.store.drop(place, 1).catch((error: unknown) => error);
      await eventually('the removal waits', async () => {
        return (await mesh.database.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount > 0;
      });
      goOn.resolve();
      await shown;
      expect(await dropped).toMatchObject({ code: 'REQUEST.INVALID' });
      const hits = await mesh.lexical('scaup', { collection: place.collection });
      expect(hits.map(({ text }) => text)).toEqual(['new scaup']);
    });

    it('without points are shown while readers see no document, and only then', async () => {
      const { mesh } = context();
      const place = { tenant: 'default', collection: 'emptied' };
      const { collection } = place;
      const document = (version: number) => ({ id: 'e', version, collection, texts: [`eider ${version}`] });
      const texts = async () => (await mesh.lexical('eider', { collection })).map(({ text }) => text);
      const put = async (version: number) => {
        await mesh.stage(document(version));
        await mesh.show(document(version));
      };
      const remove = async (version: number) => {
        const event = mesh.event(catalogue.removeDocument, { documentId: 'e', collection, version: BigInt(version) });
        await mesh.send(event);
        await mesh.answerTo(event);
      };
      const show = (generation: number) =>
        mesh.as('default', () => mesh.client.showGeneration({ collection, generation }));
      await put(1);
      await mesh.as('default', () => mesh.client.openGeneration({ collection, generation: 1 }));
      await expect(mesh.store.cutOver(place, 1)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
      await remove(1);
      expect(await show(1)).toMatchObject({ missing: 0n });
      expect(await mesh.store.liveGeneration(place)).toBe(1);
      expect(await texts()).toEqual([]);
      await put(2);
      expect(await texts()).toEqual(['eider 2']);
      await expect(mesh.store.cutOver(place, 0)).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
      expect(await texts()).toEqual(['eider 2']);
      await remove(2);
      expect(await show(0)).toMatchObject({ missing: 0n });
      await put(3);
      expect(await texts()).toEqual(['eider 3']);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('never mix: a reader sees all of one, at any time', async () => {
      const { mesh } = context();
      const { collection } = scope;
      const texts = (name: string) => Array.from({ length: 12 }, (_, n) => `${name} curlew ${n}`);
      await build(mesh, { id: 'g', collection, texts: ['old heron one'] }, 2);
      const document = { id: 'mixed', collection, texts: texts('old') };
      await mesh.stage(document);
      await mesh.show(document);
      await build(mesh, { ...document, texts: texts('new') }, 2);
      let [reading, searches] = [true, 0];
      const seen = new Set<string>();
      const reader = (async () => {
        while (reading) {
          const hits = await mesh.lexical('curlew', { collection });
          seen.add(`${hits.length} ${[...new Set(hits.map(({ text }) => text.split(' ')[0]))].join()}`);
          searches += 1;
        }
      })();
      for (const generation of [2, 0, 2, 0, 2]) {
        const before = searches;
        await mesh.store.cutOver(scope, generation);
        // Faster than anybody can search they are refused, and that is no mix.
        await Promise.race([eventually('a search has ended', () => searches > before), reader]);
      }
      reading = false;
      await reader;
      expect([...seen].filter((what) => what !== '12 old' && what !== '12 new')).toEqual([]);
    });
  });
}
