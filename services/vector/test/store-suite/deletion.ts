import { describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { embeddedBatches } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';

/** Deleted is deleted, and counted. */
export function deletionSuite(context: () => SuiteContext): void {
  describe('deletion', () => {
    it('removes every version, proves it by a count, and lets nothing late come back', async () => {
      const { mesh } = context();
      const document = (version: number) => ({ id: 'deleted', version, texts: ['alpha yak', 'beta yak'] });
      await mesh.stage(document(1));
      await mesh.show(document(1));
      await mesh.stage(document(2));
      const answer = await mesh.removeDocument('deleted', 2);
      expect(answer).toMatchObject({ type: 'vector.deleted', payload: { pointsRemoved: 4n, remaining: 0n } });
      expect(await mesh.lexical('yak')).toEqual([]);
      const place = { tenant: 'default', collection: 'default', documentId: 'deleted' };
      expect(await mesh.store.count(place, 0)).toBe(0);
      const late = [1, 2].map((version) =>
        mesh.event(catalogue.chunksEmbedded, embeddedBatches(document(version))[0]!),
      );
      await mesh.send(...late);
      expect(late.flatMap((event) => mesh.answersTo(event))).toEqual([]);
      expect(await mesh.count('deleted')).toEqual({ points: 0, visible: 0 });
      expect(await mesh.store.count(place, 0)).toBe(0);
    });

    it('lets a document come again under the same id, in another collection and of another length', async () => {
      const { mesh } = context();
      const document = (version: number, collection: string) => ({
        ...{ id: 'reborn', version, collection, texts: [`wombat v${version}`] },
        dimension: collection === 'other' ? 4 : 8,
      });
      await mesh.stage(document(1, 'default'));
      await mesh.show(document(1, 'default'));
      await mesh.removeDocument('reborn', 1);
      await mesh.stage(document(2, 'other'));
      await mesh.show(document(2, 'other'));
      expect(await mesh.lexical('wombat')).toEqual([]);
      expect((await mesh.lexical('wombat', { collection: 'other' })).map(({ text }) => text)).toEqual(['wombat v2']);
      expect((await mesh.removeDocument('reborn', 1)).payload).toMatchObject({ pointsRemoved: 0n, remaining: 0n });
      expect(await mesh.lexical('wombat', { collection: 'other' })).toHaveLength(1);
    });
  });
}
