import { describe, expect, it } from '@jest/globals';
import { renderMetrics } from '@ragmesh/observability';
import type { SuiteContext } from '../store-suite.js';

const POINTS = 200;

/** What is lost, extra or stale is found and put right. */
export function reconcilerSuite(context: () => SuiteContext): void {
  describe('the reconciler', () => {
    it('finds nothing where nothing is wrong', async () => {
      expect(await context().mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('takes no tenant for another that uses the same ids', async () => {
      const { mesh } = context();
      for (const [tenant, texts] of Object.entries({ east: ['twite'], west: ['twite', 'twite again'] })) {
        await mesh.stage({ id: 'twin', texts, tenant });
        await mesh.show({ id: 'twin', texts, tenant });
      }
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('brings back 5 % of the points that were deleted behind its back, and says how many', async () => {
      const { mesh, store } = context();
      for (let n = 0; n < POINTS / 10; n++) {
        const texts = Array.from({ length: 10 }, (_, part) => `puffin ${n} part ${part}`);
        await mesh.stage({ id: `lost-${n}`, texts, collection: 'lossy' });
        await mesh.show({ id: `lost-${n}`, texts, collection: 'lossy' });
      }
      const all = async () => (await mesh.lexical('puffin', { collection: 'lossy', topK: 1000 })).length;
      expect(await all()).toBe(POINTS);
      const lost = await store.lose(mesh, POINTS / 20);
      expect(lost).toBeGreaterThanOrEqual(POINTS / 20);
      expect(await all()).toBe(POINTS - lost);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: lost, extra: 0, stale: 0 });
      expect((await renderMetrics()).body).toContain(`ragmesh_index_drift_points{kind="missing"} ${lost}`);
      expect(await all()).toBe(POINTS);
      expect(await mesh.dense('puffin 3 part 3', { collection: 'lossy', topK: 1000 })).toHaveLength(POINTS);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
      expect((await renderMetrics()).body).toContain('ragmesh_index_drift_points{kind="missing"} 0');
    });

    it('takes out what no row knows and makes anew what is wrong, and says how many', async () => {
      const { mesh, store } = context();
      const document = { id: 'spoilt', collection: 'spoilt', texts: ['crossbill in the pines'] };
      await mesh.stage(document);
      await mesh.show(document);
      await mesh.stage({ ...document, version: 2, texts: ['crossbill to come'] });
      const found = async () => {
        const hits = [
          ...(await mesh.lexical('crossbill', { collection: 'spoilt' })),
          ...(await mesh.dense('crossbill in the pines', { collection: 'spoilt' })),
        ];
        return hits.map(({ documentId, text, score }) => `${documentId}: ${text}, ${score.toFixed(3)}`);
      };
      const before = await found();
      expect(before).toHaveLength(2);
      const strays = () => mesh.store.count({ tenant: 'default', collection: 'spoilt', documentId: 'stray' }, 0);
      const extra = await store.addStray(mesh, 'spoilt', 'stray');
      expect(await strays()).toBe(extra);
      const stale = await store.spoil(mesh, 'spoilt');
      expect(await found()).not.toContain(before[1]);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra, stale });
      expect((await renderMetrics()).body).toContain(`ragmesh_index_drift_points{kind="stale"} ${stale}`);
      expect(await found()).toEqual(before);
      expect(await strays()).toBe(0);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
    });

    it('tells others of what it brought back in the next round where it could not at once', async () => {
      const { mesh, store } = context();
      const told = `SELECT id FROM outbox WHERE topic = 'vector.updated' AND key LIKE 'lost-%' ORDER BY id DESC`;
      const last = async () => (await mesh.database.query<{ id: number }>(told)).rows[0]!.id;
      const before = await last();
      const lost = await store.lose(mesh, 1);
      const refusal = `CONSTRAINT refused CHECK (topic <> 'vector.updated') NOT VALID`;
      await mesh.database.query(`ALTER TABLE outbox ADD ${refusal}`);
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: lost, extra: 0, stale: 0 });
      expect(await last()).toBe(before);
      await mesh.database.query('ALTER TABLE outbox DROP CONSTRAINT refused');
      expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
      expect(await last()).toBeGreaterThan(before);
    });

    it('says how many rounds in a row found a loss, until one finds none', async () => {
      const { mesh, store } = context();
      const rounds: string[] = [];
      for (const isLossy of [true, true, false]) {
        if (isLossy) await store.lose(mesh, 1);
        await mesh.reconciler.reconcile();
        rounds.push(/^ragmesh_index_drift_rounds\{kind="missing"\} (.*)$/m.exec((await renderMetrics()).body)![1]!);
      }
      expect(rounds).toEqual(['1', '2', '0']);
    });
  });
}
