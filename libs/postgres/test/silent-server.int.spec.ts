import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FaultProxy, eventually } from '@ragmesh/testing';
import { Database, EmbeddedPostgres, createPool } from '../src/index.js';
import { portOf, through } from './proxied-server.js';
import { scratchFolder } from './scratch-folder.js';

/** Far longer than what a stall of the machine keeps an answer back. */
const longestSilenceMs = 5_000;
const unavailable = { code: 'STORAGE.UNAVAILABLE', retry: 'transient' };

describe('a server that vanished without a word, whose successor serves under the same address', () => {
  const folder = scratchFolder();
  let server: EmbeddedPostgres;
  let old: FaultProxy;
  let successor: FaultProxy | undefined;
  let database: Database;
  let watch: Database;

  beforeAll(async () => {
    server = await EmbeddedPostgres.start(folder.path);
    watch = new Database(createPool(server.url('postgres'), { max: 1 }));
  });
  afterAll(async () => {
    await watch.close();
    await server.stop();
    folder.remove();
  });
  beforeEach(async () => {
    old = await FaultProxy.start({ target: portOf(server.url('postgres')) });
    database = new Database(createPool(through(old, server.url('postgres')), { max: 2, longestSilenceMs }));
  });
  afterEach(async () => {
    await database.close();
    await Promise.all([old.close(), successor?.close()]);
  });

  /** What is open stays silent for ever; new connections reach the successor. */
  async function failOver(): Promise<void> {
    await old.set({ blackHole: true, refuse: true });
    successor = await FaultProxy.start({ target: portOf(server.url('postgres')), port: old.port });
  }

  const sleeping = `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`;
  const works = () =>
    database.query('SELECT 1').then(
      () => true,
      () => false,
    );

  it('fails what was asked of it as unavailable, and the pool goes on by itself with new connections', async () => {
    const running = Promise.allSettled([
      database.query('SELECT pg_sleep(20)'),
      database.transaction(async (tx) => {
        tx.write('CREATE TABLE IF NOT EXISTS left_behind ()');
        await tx.query('SELECT pg_sleep(20)');
        tx.write('SELECT 1');
      }),
    ]);
    await eventually('both sleep', async () => (await watch.query(sleeping)).rowCount === 2);
    await failOver();
    for (const outcome of await running) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    }
    await eventually('the database answers', works);
    await expect(database.transaction((tx) => tx.query('SELECT 1'))).resolves.toMatchObject({ rowCount: 1 });
    expect(old.connections).toBe(2); // nobody waits for them, though they never ended
  });

  it('also where a connection lay idle when it happened', async () => {
    await Promise.all([works(), works()]);
    await failOver();
    await expect(database.query('SELECT 1')).rejects.toMatchObject(unavailable);
    await expect(database.transaction((tx) => tx.query('SELECT 1'))).rejects.toMatchObject(unavailable);
    expect(await works()).toBe(true);
  });

  it('is not confused with one that takes long over many statements of a transaction, or with an idle transaction', async () => {
    const answered = database.transaction(async (tx) => {
      for (let turn = 0; turn < 3; turn += 1) tx.write('SELECT pg_sleep(2)');
      await tx.query('SELECT 1');
      await watch.query('SELECT pg_sleep(6)');
      return tx.query('SELECT 2 AS two');
    });
    expect((await answered).rows).toEqual([{ two: 2 }]);
  });
});
