import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PgvectorPostgres } from '@ragmesh/local-servers';
import { describeWithServer } from '@ragmesh/testing';
import { failOneInsert } from './fail-one-insert.js';
import { storeSuite } from './store-suite.js';
import { VectorMesh } from './vector-mesh.js';

const LOSE = `
  DELETE FROM point_search WHERE (document_id, ordinal) IN (
    SELECT document_id, ordinal FROM point_search WHERE collection = 'lossy' ORDER BY md5(document_id || ordinal) LIMIT $1)
  AND collection = 'lossy'`;

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
  storeSuite('pgvector', async () => {
    const { server, stop } = await startServer();
    return {
      env: { VECTOR_STORE: 'pgvector' },
      databaseUrl: (name) => server.url(name),
      lexicalAgreement: 1,
      lose: async (mesh, points) => (await mesh.database.query(LOSE, [points])).rowCount,
      breakNextBulk: (mesh) => failOneInsert(mesh.database, 'point_search'),
      stop,
    };
  });
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
