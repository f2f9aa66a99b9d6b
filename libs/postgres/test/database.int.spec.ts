import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { Database, EmbeddedPostgres, createPool } from '../src/index.js';
import { scratchFolder } from './scratch-folder.js';

describe('over a real server', () => {
  const folder = scratchFolder();
  let server: EmbeddedPostgres;
  let database: Database;
  beforeAll(async () => {
    server = await EmbeddedPostgres.start(folder.path);
    database = new Database(createPool(server.url('postgres'), { max: 5, applicationName: 'spec' }));
    await database.query('CREATE TABLE item (id int CONSTRAINT item_key PRIMARY KEY, n bigint)');
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
    folder.remove();
  });

  const count = async (): Promise<unknown> => (await database.query('SELECT count(*) AS n FROM item')).rows[0]?.n;

  it('commits what resolves and rolls back what rejects', async () => {
    await database.transaction((tx) => tx.query('INSERT INTO item VALUES (1, 1)'));
    const failing = database.transaction(async (tx) => {
      await tx.query('INSERT INTO item VALUES (2, 2)');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await count()).toBe(1);
  });

  it('fails with the error of a write nobody waited for, and commits nothing', async () => {
    const before = await count();
    const failing = database.transaction(async (tx) => {
      tx.write('INSERT INTO item VALUES (10, 10)');
      tx.write('INSERT INTO item VALUES (1, 1)');
      await tx.query('SELECT 1'); // refused only because the transaction has failed already
    });
    const error: unknown = await failing.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: '23505', constraint: 'item_key' });
    const unnoticed = database.transaction(async (tx) => tx.write('INSERT INTO item VALUES (1, 1)'));
    await expect(unnoticed).rejects.toMatchObject({ code: '23505' });
    expect(await count()).toBe(before);
  });

  it('lets a statement see the writes before it', async () => {
    const seen = await database.transaction(async (tx) => {
      tx.write('INSERT INTO item VALUES ($1, $2)', [20, 5]);
      tx.write('UPDATE item SET n = n + 1 WHERE id = $1', [20]);
      const found = await tx.query('SELECT n FROM item WHERE id = $1', [20]);
      tx.write('DELETE FROM item WHERE id = $1', [20]);
      return found.rows;
    });
    expect(seen).toEqual([{ n: 6 }]);
  });

  it('writes last what many change, in one order whatever was said first, so that nobody waits in a circle', async () => {
    await database.query('CREATE TABLE shared (name text PRIMARY KEY, n int)');
    const change = `INSERT INTO shared VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET n = shared.n + 1`;
    const work = (names: readonly string[]): Promise<void> =>
      database.transaction(async (tx) => {
        for (const name of [...names, ...names]) {
          tx.writeLast(name, change, [name]);
          await tx.query('SELECT pg_sleep(0.02)'); // the others say theirs meanwhile
        }
      });
    await Promise.all([work(['a', 'b']), work(['b', 'a']), work(['a', 'b']), work(['b', 'a'])]);
    expect((await database.query('SELECT * FROM shared ORDER BY name')).rows).toEqual([
      { name: 'a', n: 4 },
      { name: 'b', n: 4 },
    ]);
  });

  it('takes statistics when tables that were empty have grown, of these and not of the catalogues', async () => {
    await database.query('CREATE SCHEMA "Its own"');
    await database.query('CREATE TABLE "Its own"."Gro""wn" (id int PRIMARY KEY)');
    const ofCatalogues = `SELECT sum(analyze_count) AS n FROM pg_stat_sys_tables`;
    const before = (await database.query(ofCatalogues)).rows;
    for (let id = 0; id < 220; id += 1) {
      await database.transaction(async (tx) => tx.write('INSERT INTO "Its own"."Gro""wn" VALUES ($1)', [id]));
    }
    const without = 'SELECT FROM pg_stat_user_tables WHERE last_analyze IS NULL';
    await eventually('every table is analysed', async () => (await database.query(without)).rows.length === 0);
    expect((await database.query(ofCatalogues)).rows).toEqual(before);
  });

  it('leaves the error of a statement as it is', async () => {
    const refused = database.query('INSERT INTO item VALUES (1, 1)');
    await expect(refused).rejects.toMatchObject({ code: '23505', constraint: 'item_key' });
  });

  it('reads bigint as a number only where no digit is lost', async () => {
    const { rows } = await database.query(
      'SELECT 9007199254740991::bigint AS safe, 9007199254740993::bigint AS unsafe',
    );
    expect(rows[0]).toEqual({ safe: 9007199254740991, unsafe: '9007199254740993' });
  });

  it('reports a cut connection as unavailable and serves the next call', async () => {
    const cut = database.transaction(async (tx) => {
      const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await database.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
      await tx.query('SELECT 1');
    });
    await expect(cut).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE', retry: 'transient' });
    expect(await count()).toBe(1);
  });

  it('reports a refused connection as unavailable', async () => {
    const nowhere = new Database(createPool('postgresql://nobody@127.0.0.1:1/none'));
    await expect(nowhere.query('SELECT 1')).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    await expect(nowhere.transaction(async () => 1)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    await nowhere.close();
  });
});
