import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { Outbox, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate, type SqlTransaction } from '@ragmesh/postgres';
import { ReplayFollower, inboxMigrations } from './index.js';

class CountingDatabase extends Database {
  transactions = 0;

  override transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    this.transactions += 1;
    return super.transaction(work);
  }
}

let folder: string;
let server: EmbeddedPostgres;
let database: CountingDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-follower-'));
  server = await EmbeddedPostgres.start(folder);
  await migrate(server.url('follower'), outboxMigrations, inboxMigrations);
  database = new CountingDatabase(createPool(server.url('follower'), { max: 4 }));
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  jest.useRealTimers();
});

it('does not pile up looks while its database hangs, which its end would have to wait for', async () => {
  const others = [
    'nextTick',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate',
    'setTimeout',
    'clearTimeout',
  ] as const;
  jest.useFakeTimers({ doNotFake: [...others, 'Date', 'performance', 'hrtime'] as never });
  const follower = new ReplayFollower(database, new Outbox(database, 'vector'), 'vector', createLogger('x', 'silent'));
  const stalled = new Database(createPool(server.url('follower'), { max: 1 }));
  await stalled.transaction(async (tx) => {
    await tx.query('LOCK TABLE dead_letter_replay IN ACCESS EXCLUSIVE MODE');
    follower.start();
    jest.advanceTimersByTime(30_000);
  });
  await stalled.close();
  await follower.stop();
  // The look that hung, and what each first look does beside it.
  expect(database.transactions).toBeLessThanOrEqual(2);
});
