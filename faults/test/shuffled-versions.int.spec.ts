import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import type { EncodedEvent } from '@ragmesh/messaging';
import { eventually, seeded, shuffled } from '@ragmesh/testing';
import { embeddedBatches } from '../../services/vector/test/document.builder.js';
import { VectorMesh, type Answer } from '../../services/vector/test/vector-mesh.js';

const DOCUMENTS = 50;
const VERSIONS = 5;
const CHUNKS = 6;
const SEEDS = [7, 42];

const document = (id: string, version: number) => ({
  id,
  version,
  texts: Array.from({ length: CHUNKS }, (_, number) => `puffin ${version} ${number} of ${id}`),
  batchSize: 2,
});

/** All that is ever said of a document, in order: its versions, one after the other, and for some its end. */
function story(mesh: VectorMesh, id: string, isDeleted: boolean): EncodedEvent[] {
  const versions = Array.from({ length: VERSIONS }, (_, index) => index + 1);
  const events = versions.flatMap((version) => [
    ...embeddedBatches(document(id, version)).map((batch) => mesh.event(catalogue.chunksEmbedded, batch)),
    show(mesh, id, version),
  ]);
  const end = { documentId: id, collection: 'default', version: BigInt(VERSIONS) };
  return isDeleted ? [...events, mesh.event(catalogue.removeDocument, end)] : events;
}

const show = (mesh: VectorMesh, documentId: string, version: number): EncodedEvent =>
  mesh.event(catalogue.showVersion, {
    ...{ documentId, version: BigInt(version), collection: 'default' },
    expectedPoints: BigInt(CHUNKS),
  });

describe('a thousand events about fifty documents in any order', () => {
  let mesh: VectorMesh;
  beforeAll(async () => void (mesh = await VectorMesh.start()));
  afterAll(() => mesh.stop());

  const shown = () => mesh.answers.filter(({ type }) => type === 'vector.updated');

  /** An event is settled before what came of it has gone through outbox and bus. */
  const everythingTold = () =>
    eventually('every shown version is told', async () => {
      const sql = `SELECT count(*) AS shown FROM outbox WHERE topic = 'vector.updated'`;
      return (await mesh.database.query<{ shown: number }>(sql)).rows[0]!.shown === shown().length;
    });

  /** Without those that only got an answer, because readers saw a newer one. */
  const shownVersions = (id: string): number[] =>
    shown()
      .filter(({ payload }: Answer) => payload['documentId'] === id && payload['pointsVisible'] !== 0n)
      .map(({ payload }) => Number(payload['version']));

  it.each(SEEDS)(
    'never let an older version win, a part be seen or a deleted one return (seed %i)',
    async (seed) => {
      const random = seeded(seed);
      const ids = Array.from({ length: DOCUMENTS }, (_, number) => `s${seed}-${number}`);
      const isDeleted = (id: string): boolean => Number(id.split('-')[1]) % 5 === 0;
      const all = shuffled(
        ids.flatMap((id) => story(mesh, id, isDeleted(id))),
        random,
      );
      expect(all.length).toBeGreaterThanOrEqual(1_000);
      await mesh.send(...all);
      await everythingTold();
      const seen = await mesh.lexical('puffin', { topK: 1_000 });
      for (const id of ids) {
        const hits = seen.filter(({ documentId }) => documentId === id);
        const versions = new Set(hits.map(({ version }) => Number(version)));
        if (isDeleted(id)) expect(await mesh.count(id)).toEqual({ points: 0, visible: 0 });
        else {
          const shown = shownVersions(id);
          expect([...versions]).toEqual(shown.length > 0 ? [Math.max(...shown)] : []);
          expect(hits).toHaveLength(shown.length > 0 ? CHUNKS : 0);
          expect(shown).toEqual(shown.toSorted((a, b) => a - b));
        }
      }
      // The newest version is told once more, as its saga would: it is all there is now.
      for (const id of ids) {
        await mesh.send(
          ...embeddedBatches(document(id, VERSIONS)).map((batch) => mesh.event(catalogue.chunksEmbedded, batch)),
        );
        await mesh.send(show(mesh, id, VERSIONS));
        const points = isDeleted(id) ? 0 : CHUNKS;
        expect(await mesh.count(id)).toEqual({ points, visible: points });
      }
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    },
    240_000,
  );
});
