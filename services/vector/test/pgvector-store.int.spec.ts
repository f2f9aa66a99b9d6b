import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PgvectorPostgres } from '@ragmesh/local-servers';
import { describeWithServer } from '@ragmesh/testing';
import { bytesOf, vectorOf } from './document.builder.js';
import { failOneInsert } from './fail-one-insert.js';
import { storeSuite, type SuiteContext } from './store-suite.js';
import { build } from './store-suite/generations.js';
import { VectorMesh } from './vector-mesh.js';

const LOSE = `
  DELETE FROM point_search WHERE (document_id, ordinal) IN (
    SELECT document_id, ordinal FROM point_search WHERE collection = 'lossy' ORDER BY md5(document_id || ordinal) LIMIT $1)
  AND collection = 'lossy'`;

/** Staged points without a word; no index has vectors of their length. */
const ADD = [
  `INSERT INTO point (tenant, collection, document_id, version, ordinal, start_offset, end_offset, point_id, model, metadata,
     text, vector, hash)
   SELECT 'default', 'vast', 'vast', $1, n, 0, 1, gen_random_uuid(), 'm@1', '{}', '', '\\x00000000', 0
   FROM generate_series(1, 9999) AS n`,
  `INSERT INTO point_search
   SELECT tenant, collection, document_id, version, ordinal, generation, point_id, hash, 1, '[1]', 3, '{}', '{}'
   FROM point WHERE document_id = 'vast' AND version = $1`,
];

/** The two numbers by which words are weighed may be old, but only where a few points more or less make no difference. */
function measureSuite(context: () => SuiteContext): void {
  it('counts the points of a large collection once for a while, and again after a cut-over', async () => {
    const { mesh } = context();
    const collection = 'vast';
    const document = { id: 'vast', collection, texts: ['egret in the reeds'] };
    const score = async () => (await mesh.lexical('egret', { collection }))[0]!.score;
    const add = async (version: number) => {
      for (const sql of ADD) await mesh.database.query(sql, [version]);
    };
    await mesh.stage(document);
    await mesh.show(document);
    const alone = await score();
    await add(2);
    const among = await score();
    expect(among).toBeGreaterThan(alone);
    await add(3);
    expect(await score()).toBe(among);
    const both = { collection, vector: bytesOf(vectorOf('egret')), query: 'egret', topK: 1 };
    expect((await mesh.as('default', () => mesh.client.searchHybrid(both))).hits).toMatchObject([{ lexical: among }]);
    await build(mesh, document, 1);
    await mesh.store.cutOver({ tenant: 'default', collection }, 1);
    expect(await score()).toBe(alone);
  });
}

async function startServer(): Promise<{ server: PgvectorPostgres; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-pgvector-'));
  const server = await PgvectorPostgres.start({ dataDir });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { server, stop };
}

describeWithServer('pgvector', 'PostgreSQL with the vector extension', () => {
  storeSuite(
    'pgvector',
    async () => {
      const { server, stop } = await startServer();
      return {
        env: { VECTOR_STORE: 'pgvector' },
        databaseUrl: (name) => server.url(name),
        lexicalAgreement: 1,
        lose: async (mesh, points) => (await mesh.database.query(LOSE, [points])).rowCount,
        breakNextBulk: (mesh) => failOneInsert(mesh.database, 'point_search'),
        stop,
      };
    },
    measureSuite,
  );
});

describeWithServer('pgvector', 'a PostgreSQL with the vector extension that is not asked for', () => {
  let started: Awaited<ReturnType<typeof startServer>>;
  let mesh: VectorMesh;
  beforeAll(async () => {
    started = await startServer();
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
