import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithServer, withinAttempts } from '@ragmesh/testing';
import { bytesOf, vectorOf } from './document.builder.js';
import { failOneInsert } from './fail-one-insert.js';
import { startPgvector } from './pgvector-server.js';
import { storeSuite, type SuiteContext } from './store-suite.js';
import { build } from './store-suite/generations.js';
import { VectorMesh } from './vector-mesh.js';

const LOSE = `
  DELETE FROM point_search WHERE (document_id, ordinal) IN (
    SELECT document_id, ordinal FROM point_search WHERE collection = 'lossy' ORDER BY md5(document_id || ordinal) LIMIT $1)
  AND collection = 'lossy'`;

/** What searches read refers to its row, so that none can be there without one. */
const FOREIGN_KEY_VIOLATION = '23503';

const SPOIL = `
  UPDATE point_search SET hash = hash + 1, embedding = (SELECT embedding FROM point_search o WHERE (o.document_id, o.version) = ($1, 2))
  WHERE (document_id, version) = ($1, 1)`;

const STRAY = `
  INSERT INTO point_search SELECT (p).* FROM (
    SELECT jsonb_populate_record(s, jsonb_build_object('document_id', $2::text)) AS p FROM point_search s
    WHERE (document_id, version) = ($1, 1)) AS copied`;

/** Staged points without a word; no index has vectors of their length. */
const ADD = [
  `INSERT INTO point (tenant, collection, document_id, version, ordinal, start_offset, end_offset, point_id, model, metadata,
     text, vector, hash)
   SELECT 'default', $2::text, $2, $1, n, 0, 1, gen_random_uuid(), 'm@1', '{}', '', '\\x00000000', 0
   FROM generate_series(1, 9999) AS n`,
  `INSERT INTO point_search
   SELECT tenant, collection, document_id, version, ordinal, generation, point_id, hash, 1, '[1]', 3, '{}', '{}'
   FROM point WHERE document_id = $2 AND version = $1`,
];

/** The two numbers by which words are weighed may be old, but only where a few points more or less make no difference. */
function measureSuite(context: () => SuiteContext): void {
  it('counts the points of a large collection once for a while, and again after a cut-over', async () => {
    const { mesh } = context();
    const countOnce = async (number: number) => {
      const collection = `vast-${number}`;
      const document = { id: collection, collection, texts: ['egret in the reeds'] };
      const score = async () => (await mesh.lexical('egret', { collection }))[0]!.score;
      const add = async (version: number) => {
        for (const sql of ADD) await mesh.database.query(sql, [version, collection]);
      };
      await mesh.stage(document);
      await mesh.show(document);
      const alone = await score();
      await add(2);
      const among = await score();
      expect(among).toBeGreaterThan(alone);
      await add(3);
      return { collection, document, score, alone, among, later: await score() };
    };
    // The while may be over where rows are slow to come.
    const counted = await withinAttempts(2, countOnce, (attempt) => attempt.later === attempt.among);
    const { collection, document, score, alone, among } = counted;
    expect(counted.later).toBe(among);
    const both = { collection, vector: bytesOf(vectorOf('egret')), query: 'egret', topK: 1 };
    expect((await mesh.as('default', () => mesh.client.searchHybrid(both))).hits).toMatchObject([{ lexical: among }]);
    await build(mesh, document, 1);
    await mesh.store.cutOver({ tenant: 'default', collection }, 1);
    expect(await score()).toBe(alone);
  });
}

describeWithServer('pgvector', 'PostgreSQL with the vector extension', () => {
  storeSuite(
    'pgvector',
    async () => {
      const { server, stop } = await startPgvector();
      return {
        env: { VECTOR_STORE: 'pgvector' },
        databaseUrl: (name) => server.url(name),
        lexicalAgreement: 1,
        lose: async (mesh, points) => (await mesh.database.query(LOSE, [points])).rowCount,
        spoil: async (mesh, documentId) => (await mesh.database.query(SPOIL, [documentId])).rowCount,
        async addStray(mesh, documentId, stray) {
          const added = mesh.database.query(STRAY, [documentId, stray]);
          await expect(added).rejects.toMatchObject({ code: FOREIGN_KEY_VIOLATION });
          return 0;
        },
        breakNextBulk: (mesh) => failOneInsert(mesh.database, 'point_search'),
        stop,
      };
    },
    measureSuite,
  );
});

describeWithServer('pgvector', 'a PostgreSQL with the vector extension that is not asked for', () => {
  let started: Awaited<ReturnType<typeof startPgvector>>;
  let mesh: VectorMesh;
  beforeAll(async () => {
    started = await startPgvector();
    mesh = await VectorMesh.start({ databaseUrl: (name) => started.server.url(name) });
  });
  afterAll(async () => {
    await mesh.stop();
    await started.stop();
  });

  it('gets neither table nor extension', async () => {
    const sql = `SELECT to_regclass('point_search') AS "table", (SELECT count(*) FROM pg_extension WHERE extname = 'vector') AS extensions`;
    expect((await mesh.database.query(sql)).rows).toEqual([{ table: null, extensions: 0 }]);
  });
});
