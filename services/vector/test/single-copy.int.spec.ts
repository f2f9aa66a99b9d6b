import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { SingleCopy } from '../src/adapters/single-copy.js';

let folder: string;
let server: EmbeddedPostgres;
const databases: Database[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-copy-'));
  server = await EmbeddedPostgres.start(folder);
});
afterAll(async () => {
  for (const database of databases) await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

function copyOf(name: string): SingleCopy {
  const database = new Database(createPool(server.url('postgres'), { max: 2, applicationName: name }));
  databases.push(database);
  return new SingleCopy(database);
}

describe('the embedded store on one database', () => {
  it('refuses a second copy, and says what to do', async () => {
    const first = copyOf('first');
    await first.claim(0);
    await expect(copyOf('second').claim(300)).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      message: expect.stringContaining('VECTOR_STORE'),
    });
    first.release();
  });

  it('lets a copy in when the one before it ends, and keeps its place when a connection is cut', async () => {
    const [before, after, late] = [copyOf('before'), copyOf('after'), copyOf('late')];
    await before.claim(0);
    const claimed = after.claim(60_000);
    before.release();
    await claimed;
    const watch = databases[0]!;
    const sessions = `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'after'`;
    const { pid } = (await watch.query<{ pid: number }>(sessions)).rows[0]!;
    const holders = `SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE locktype = 'advisory' AND granted AND application_name = 'after' AND pid <> $1`;
    await eventually('another session holds it', async () => (await watch.query(holders, [pid])).rows.length > 0);
    await expect(late.claim(2_000)).rejects.toMatchObject({ code: 'CONFIG.INVALID' });
    after.release();
  });

  it('is taken once a database that lets nobody in does so again, and says what is missing when it does not', async () => {
    const [patient, hasty] = [copyOf('patient'), copyOf('hasty')];
    process.kill(server.pid, 'SIGSTOP');
    try {
      const claimed = patient.claim(60_000);
      await expect(hasty.claim(0)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
      process.kill(server.pid, 'SIGCONT');
      await claimed;
    } finally {
      process.kill(server.pid, 'SIGCONT');
      patient.release();
    }
  });
});
