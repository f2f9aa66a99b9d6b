import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { createLogger } from '@ragmesh/observability';
import { Outbox, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate, type SqlTransaction } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { DeadLetterReplays, DeadLetterStore, ReplayFollower, inboxMigrations, keepRefusedEvents } from './index.js';

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
let outbox: Outbox;
let follower: ReplayFollower;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-follower-'));
  server = await EmbeddedPostgres.start(folder);
  await migrate(server.url('follower'), outboxMigrations, inboxMigrations);
  database = new CountingDatabase(createPool(server.url('follower'), { max: 4 }));
  outbox = new Outbox(database, 'vector');
});
beforeEach(() => {
  follower = new ReplayFollower(database, outbox, 'vector', createLogger('x', 'silent'));
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

describe('an event that the bus refused', () => {
  const [by, dryRun, headers] = ['spec', false, { ce_id: 'e1', ce_type: 'chunks.embedded', ce_tenant: 'default' }];

  /** As the relay sets it aside. @returns its row and its letter. */
  async function refuse(): Promise<{ row: string; letter: string }> {
    return outbox.transaction(async (tx, out) => {
      const { rows } = await tx.query<{ id: string }>(
        `INSERT INTO outbox (topic, key, headers, value, error) VALUES ('t', 'd', '{}', '', 'EVENT.TOO_LARGE') RETURNING id`,
      );
      const { id } = rows[0]!;
      const row = { id, topic: 't', key: 'd', headers, value: Buffer.alloc(0), unsigned: false };
      await keepRefusedEvents('vector')(tx, out, row, new RagmeshError('EVENT.TOO_LARGE', 'It is too large.'));
      return { row: id, letter: `t:-1:${id}:e1:vector.publish` };
    });
  }
  const selection = (letter: string) => ({ ids: [letter], filter: {}, limit: 1 });
  const replays = () => new DeadLetterReplays(new DeadLetterStore(database), outbox, 'vector');
  const statusOf = async (letter: string) => (await new DeadLetterStore(database).find('default', letter))?.status;
  const isKept = async (row: string) =>
    (await database.query('SELECT FROM outbox WHERE id = $1', [row])).rowCount === 1;

  it('leaves nothing in the outbox once its letter is discarded', async () => {
    const [discarded, other] = [await refuse(), await refuse()];
    await replays().discard('default', selection(discarded.letter), { note: 'not needed', dryRun: true });
    expect(await isKept(discarded.row)).toBe(true);
    await replays().discard('default', selection(discarded.letter), { note: 'not needed', dryRun });
    expect(await isKept(discarded.row)).toBe(false);
    expect(await isKept(other.row)).toBe(true);
  });

  it('nor once its letter, long settled, is forgotten', async () => {
    const [old, open] = [await refuse(), await refuse()];
    await database.query(
      `UPDATE dead_letter SET status = 'discarded', settled_at = now() - interval '31 days' WHERE id = $1`,
      [old.letter],
    );
    follower.start();
    await eventually('the letter is gone', async () => (await statusOf(old.letter)) === undefined);
    await follower.stop();
    expect(await isKept(old.row)).toBe(false);
    expect(await isKept(open.row)).toBe(true);
  });

  it('is known to be published after its replay, also when its row was removed before anybody looked', async () => {
    const { row, letter } = await refuse();
    await replays().replay('default', selection(letter), { by, dryRun, rate: 100 });
    await follower.follow();
    expect(await statusOf(letter)).toBe('replaying');
    await database.query('DELETE FROM outbox WHERE id = $1', [row]); // as is done an hour after it was published
    await follower.follow();
    expect(await statusOf(letter)).toBe('replayed');
  });
});
