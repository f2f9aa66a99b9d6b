import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { embeddedBatches } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';

/** Staged, shown, changed over, undone. */
export function versionSuite(context: () => SuiteContext): void {
  describe('versions of a document', () => {
    it('are not seen before they are shown', async () => {
      const { mesh } = context();
      const document = { id: 'staged', texts: ['alpha zebra', 'beta zebra', 'gamma zebra'], batchSize: 2 };
      await mesh.stage(document);
      expect([...(await mesh.lexical('zebra')), ...(await mesh.dense('alpha zebra'))]).toEqual([]);
      expect(await mesh.count('staged')).toEqual({ points: 3, visible: 0 });
      expect((await mesh.show(document)).payload).toMatchObject({ pointsVisible: 3n, pointsRemoved: 0n });
      const [best] = await mesh.dense('beta zebra', { topK: 1 });
      expect(best).toMatchObject({
        chunkId: 'staged:1:1',
        version: 1n,
        text: 'beta zebra',
        start: 10,
        end: 20,
        page: 1,
      });
      expect(best!.score).toBeCloseTo(1, 4);
      expect((await mesh.lexical('gamma')).map(({ chunkId }) => chunkId)).toEqual(['staged:1:2']);
      expect(await mesh.count('staged')).toEqual({ points: 3, visible: 3 });
    });

    it('are never shown in part', async () => {
      const { mesh } = context();
      const document = { id: 'partial', texts: ['delta walrus', 'epsilon walrus'] };
      await mesh.stage(document);
      const answer = await mesh.show({ ...document, texts: [...document.texts, 'missing'] });
      expect(answer).toMatchObject({ type: 'error.occurred', payload: { code: 'EVENT.INVALID' } });
      expect(await mesh.lexical('walrus')).toEqual([]);
    });

    it('change over in one instant: a reader finds every chunk of one version, at any time', async () => {
      const { mesh } = context();
      const document = (version: number) => ({
        ...{ id: 'flipping', version, batchSize: 8 },
        texts: Array.from({ length: 20 }, (_, n) => `otter ${version} part ${n}`),
      });
      await mesh.stage(document(1));
      await mesh.show(document(1));
      let [reading, reads] = [true, 0];
      const faults: string[] = [];
      const reader = (async () => {
        while (reading) {
          for (const hits of await Promise.all([mesh.lexical('otter'), mesh.dense('otter')])) {
            const ours = hits.filter(({ documentId }) => documentId === 'flipping');
            const versions = new Set(ours.map(({ version }) => version));
            if (versions.size !== 1 || ours.length !== 20) faults.push(`${ours.length} of ${[...versions].join()}`);
            reads++;
          }
        }
      })();
      for (let version = 2; version <= 9; version++) {
        await mesh.stage(document(version));
        expect((await mesh.show(document(version))).payload).toMatchObject({ pointsVisible: 20n, pointsRemoved: 20n });
      }
      reading = false;
      await reader;
      expect(faults).toEqual([]);
      expect(reads).toBeGreaterThan(10);
      expect(await mesh.count('flipping')).toEqual({ points: 20, visible: 20 });
    });

    it('are undone one by one, and late chunks of them are dead', async () => {
      const { mesh } = context();
      const document = (version: number) => ({
        id: 'undone',
        version,
        texts: [`ibex v${version}`, `ibex also v${version}`],
      });
      await mesh.stage(document(1));
      await mesh.show(document(1));
      await mesh.stage(document(2));
      const undo = mesh.event(catalogue.removeVersion, { documentId: 'undone', version: 2n, collection: 'default' });
      await mesh.send(undo);
      expect((await mesh.answerTo(undo)).payload).toMatchObject({ version: 2n, pointsRemoved: 2n, remaining: 0n });
      expect((await mesh.lexical('ibex')).map(({ version }) => version)).toEqual([1n, 1n]);
      const late = mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(2))[0]!);
      await mesh.send(late);
      expect(mesh.answersTo(late)).toEqual([]);
      expect(await mesh.count('undone')).toEqual({ points: 2, visible: 2 });
    });

    it('are told apart by the hash of what they hold', async () => {
      const { mesh } = context();
      const hashOf = async (documentId: string, version: bigint) =>
        (await mesh.as('default', () => mesh.client.count({ collection: 'default', documentId, version }))).hash;
      const document = { id: 'hashed', texts: ['stilt one', 'stilt two'] };
      await mesh.stage(document);
      await mesh.stage({ ...document, version: 2 });
      await mesh.stage({ ...document, version: 3, texts: ['stilt one', 'stilt three'] });
      expect(await hashOf('hashed', 1n)).toMatch(/^[0-9a-f]{16}$/);
      expect(await hashOf('hashed', 2n)).toBe(await hashOf('hashed', 1n));
      expect(await hashOf('hashed', 3n)).not.toBe(await hashOf('hashed', 1n));
      expect(await hashOf('hashed', 4n)).toBe('');
      // The migration that brought the hashes computes them in SQL.
      const { rows } = await mesh.database.query(`
        SELECT 1 FROM point WHERE hash IS DISTINCT FROM ('x' || encode(substring(sha256(
          convert_to(model || E'\\n' || text || E'\\n', 'UTF8') || vector) FROM 1 FOR 8), 'hex'))::bit(64)::bigint`);
      expect(rows).toEqual([]);
    });

    it('have the collection another stamp with each change readers see, and with no other', async () => {
      const { mesh } = context();
      const shown = () =>
        mesh.as('default', async () => (await mesh.client.getAccess({ collection: 'default' })).shown);
      const document = { id: 'stamped', texts: ['heron one'] };
      const stamps = [await shown()];
      await mesh.stage(document);
      expect(await shown()).toBe(stamps[0]);
      await mesh.show(document);
      stamps.push(await shown());
      await mesh.stage({ ...document, version: 2, texts: ['heron two'] });
      expect(await shown()).toBe(stamps[1]);
      await mesh.show({ ...document, version: 2 });
      stamps.push(await shown());
      await mesh.removeDocument('stamped', 2);
      stamps.push(await shown());
      expect(new Set(stamps).size).toBe(4);
    });

    it('have neighbours and points of the visible one only', async () => {
      const { mesh } = context();
      const document = { id: 'long', texts: ['n zero', 'n one', 'n two', 'n three'] };
      await mesh.stage(document);
      await mesh.show(document);
      const ask = (version: bigint, ordinals: number[]) =>
        mesh.as('default', () =>
          mesh.client.getNeighbours({ collection: 'default', documentId: 'long', version, ordinals }),
        );
      expect((await ask(1n, [3, 1, 9])).hits.map(({ text }) => text)).toEqual(['n one', 'n three']);
      expect((await ask(2n, [1])).hits).toEqual([]);
      const ids = (await ask(0n, [2, 0])).hits.map(({ pointId }) => pointId);
      const pointIds = [ids[1]!, '6f1d2c1e-5f0b-5c55-9a3e-0d9a5a7b1c42', ids[0]!];
      const points = await mesh.as('default', () => mesh.client.getPoints({ collection: 'default', pointIds }));
      expect(points.hits.map(({ text }) => text)).toEqual(['n two', 'n zero']);
    });
  });
}
