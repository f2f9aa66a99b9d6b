import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { VectorMesh } from './vector-mesh.js';

const DOCUMENTS = 20_000;
/** A page of documents and what it is compared with take far less, a record for each document far more. */
const MAX_GROWTH = 3_000_000;
const GC_EVERY = 5;

const FILL = `
  WITH filled AS (
    INSERT INTO document_index (tenant, document_id, collection, visible_version)
    SELECT 'default', gen_random_uuid()::text, 'part-' || n % 10, 1 FROM generate_series(1, ${DOCUMENTS}) n
    RETURNING tenant, collection, document_id)
  INSERT INTO point (tenant, collection, document_id, version, ordinal, start_offset, end_offset, point_id, model, metadata,
    text, vector, hash)
  SELECT tenant, collection, document_id, 1, 0, 0, 4, gen_random_uuid(), 'm@1', '{}', 'knot', '\\x0000803f00000000', 1
  FROM filled`;

describe(`the reconciler on ${DOCUMENTS} documents`, () => {
  let mesh: VectorMesh;
  beforeAll(async () => {
    mesh = await VectorMesh.start({ env: { RECONCILE_INTERVAL_SECONDS: '0' } });
    await mesh.database.query(FILL);
    await mesh.restart();
  });
  afterAll(() => mesh.stop());

  it('holds no more memory than a page of them takes, and finds what is missing and what is extra', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const heap = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const ends = `SELECT (SELECT min(document_id) FROM point) AS first, (SELECT max(document_id) FROM point) AS last`;
    const { first, last } = (await mesh.database.query<{ first: string; last: string }>(ends)).rows[0]!;
    for (const table of ['point', 'document_index'])
      await mesh.database.query(`DELETE FROM ${table} WHERE document_id = $1`, [first]);
    await mesh.database.query(`UPDATE document_index SET visible_version = NULL WHERE document_id = $1`, [last]);
    const { store } = mesh;
    const inventory = store.inventory.bind(store);
    let [calls, peak] = [0, 0];
    store.inventory = (...asked) => {
      if (calls++ % GC_EVERY === 0) peak = Math.max(peak, heap());
      return inventory(...asked);
    };
    const before = heap();
    expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 1, stale: 2 });
    expect(peak - before).toBeLessThan(MAX_GROWTH);
    expect(await mesh.reconciler.reconcile()).toEqual({ missing: 0, extra: 0, stale: 0 });
  });
});
