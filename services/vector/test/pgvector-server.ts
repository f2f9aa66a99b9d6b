import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PgvectorPostgres } from '@ragmesh/local-servers';

/** A PostgreSQL with the vector extension, in a folder that goes with it. */
export async function startPgvector(): Promise<{ server: PgvectorPostgres; stop(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-pgvector-'));
  const server = await PgvectorPostgres.start({ dataDir });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { server, stop };
}
