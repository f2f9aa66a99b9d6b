import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import type { BusDriver } from '@ragmesh/messaging';
import { createLogger, renderMetrics } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, Notifications, createPool, migrate, type SqlResult } from '@ragmesh/postgres';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { PartlyDeadBus, TOPIC, keysOf, partitionOf } from '../test/partly-dead-bus.js';
import { Outbox, OutboxRelay, outboxMigrations } from './index.js';
import { RelayLease } from './relay-lease.js';

const forbidden = new RagmeshError('CONFIG.INVALID', 'This client may not write.');
const tooLarge = new RagmeshError('EVENT.TOO_LARGE', 'It is too large.');

class CountingDatabase extends Database {
  queries = 0;

  override query<R>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>> {
    this.queries += 1;
    return super.query<R>(text, values);
  }
}

let folder: string;
let server: EmbeddedPostgres;
let url: string;
let database: Database;
const stopping: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-relay-'));
  server = await EmbeddedPostgres.start(folder);
  url = server.url('ragmesh_relay');
  await migrate(url, outboxMigrations);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  database = new Database(createPool(url));
  await database.query('CREATE TABLE IF NOT EXISTS kept (key text, code text)');
  await database.query('TRUNCATE outbox');
  await database.query(`UPDATE outbox_lease SET holder = '', expires_at = '-infinity'`);
});
afterEach(async () => {
  jest.restoreAllMocks();
  for (const stop of stopping.splice(0).toReversed()) await stop();
  await database.close();
});

/** A copy of a service, with its own connections. */
async function startRelay(bus: PartlyDeadBus): Promise<CountingDatabase> {
  const own = new CountingDatabase(createPool(url, { max: 3 }));
  const outbox = new Outbox(own, 'document');
  const notifications = new Notifications(url);
  const relay = new OutboxRelay({
    ...{ service: 'document', database: own, outbox, notifications },
    ...{ driver: bus as unknown as BusDriver, logger: createLogger('document', 'silent') },
    keepRefused: async (tx, _out, { key }, { code }) => tx.write('INSERT INTO kept VALUES ($1, $2)', [key, code]),
  });
  stopping.push(
    () => own.close(),
    () => notifications.close(),
    () => relay.stop(),
  );
  await relay.start();
  return own;
}

async function insert(keys: readonly string[], { topic = TOPIC, delayMs = 0 } = {}): Promise<void> {
  await database.query(
    `INSERT INTO outbox (topic, key, headers, value, available_at)
     SELECT $1, key, '{}', 'x', now() + $3 * interval '1 millisecond' FROM unnest($2::text[]) AS t(key)`,
    [topic, keys, delayMs],
  );
}

async function waitingRows(): Promise<unknown[]> {
  return (await database.query('SELECT key, error FROM outbox WHERE published_at IS NULL ORDER BY id')).rows;
}

describe('a relay whose bus takes nothing for one partition', () => {
  it('goes on with the others, however much waits for it, and publishes in order what waited once it is back', async () => {
    const bus = new PartlyDeadBus();
    bus.dead.add(2);
    const waiting = keysOf(2, 1_100);
    const others = keysOf(4, 20);
    await insert(waiting);
    await insert(others);
    await startRelay(bus);
    await eventually('the others are published', () => bus.published.length === others.length);
    expect(bus.keys).toEqual(others);
    const late = keysOf(1, 1);
    await insert(late);
    await eventually('what comes later is, too', () => bus.keys.includes(late[0]!));
    bus.dead.clear();
    await eventually('what waited is published', () => bus.published.length === waiting.length + others.length + 1);
    expect(bus.keys.filter((key) => partitionOf(key) === 2)).toEqual(waiting);
  });

  it('lets nothing overtake what failed in a batch that could not be marked', async () => {
    const bus = new PartlyDeadBus();
    bus.dead.add(2);
    await startRelay(bus);
    await insert(keysOf(2, 1));
    await eventually('a partition is held back', () => bus.calls === 1);
    const [first, second] = keysOf(5, 2);
    bus.dead.add(5);
    bus.beforeAnswer = async () => {
      bus.beforeAnswer = async () => undefined;
      await insert([second!]);
      bus.dead.delete(5);
      await database.query('UPDATE outbox_lease SET token = token + 1');
    };
    await insert([...keysOf(4, 1), first!]);
    await eventually('both are published', () => bus.keys.includes(first!) && bus.keys.includes(second!));
    expect(bus.keys.filter((key) => partitionOf(key) === 5)).toEqual([first, second]);
  });

  it('waits for none that does not answer, asks it for nothing more, and marks what it takes in the end', async () => {
    const bus = new PartlyDeadBus();
    const answer = Promise.withResolvers<void>();
    bus.silent.set(2, answer.promise);
    const waiting = keysOf(2, 5);
    await insert([...waiting.slice(0, 3), ...keysOf(4, 2)]);
    await startRelay(bus);
    await eventually('the others are marked', async () => (await waitingRows()).length === 3);
    await insert([...waiting.slice(3), ...keysOf(1, 1)]);
    await eventually('so is the rest', async () => bus.batches.size === 3 && (await waitingRows()).length === 5);
    answer.resolve();
    await eventually('what waited is published', async () => (await waitingRows()).length === 0);
    expect(bus.keys.slice(-5)).toEqual(waiting);
  });

  it('waits half a second for it once, not for each of its answers', async () => {
    const bus = new PartlyDeadBus();
    let answer = Promise.withResolvers<void>();
    /** @returns how long one beside it waited from its answer until it was marked. */
    const publishBeside = async (number: number): Promise<number> => {
      answer = Promise.withResolvers<void>();
      bus.silent.set(2, answer.promise);
      let publishedAt = Infinity;
      bus.beforeAnswer = async () => void (publishedAt = Math.min(publishedAt, Date.now()));
      await insert([keysOf(2, 4)[number]!, keysOf(4, 4)[number]!]);
      await eventually('the other one is marked', async () => (await waitingRows()).length === 1);
      const { rows } = await database.query<{ at: Date }>('SELECT max(published_at) AS at FROM outbox');
      answer.resolve();
      await eventually('so is what came late', async () => (await waitingRows()).length === 0);
      return rows[0]!.at.getTime() - publishedAt;
    };
    await startRelay(bus);
    stopping.push(async () => answer.resolve());
    await publishBeside(0);
    expect(await withinAttempts(3, publishBeside, (tookMs) => tookMs < 450)).toBeLessThan(450);
  });

  it('lets nothing overtake what took its number earlier and committed later, while others are passed over', async () => {
    const bus = new PartlyDeadBus();
    const answer = Promise.withResolvers<void>();
    bus.silent.set(2, answer.promise);
    await insert(keysOf(2, 1));
    await startRelay(bus);
    stopping.push(async () => answer.resolve());
    await eventually('it is asked', () => bus.calls === 1);
    const [key, between] = [keysOf(4, 1)[0]!, keysOf(1, 1)[0]!];
    const add = `INSERT INTO outbox (topic, key, headers, value) VALUES ($1, $2, jsonb_build_object('of', $3::text), 'x')`;
    await database.transaction(async (tx) => {
      await tx.query(add, [TOPIC, key, 'earlier']);
      await insert([between]);
      await eventually('one between is marked', async () => (await waitingRows()).length === 1);
      await tx.query(add, [TOPIC, key, 'later']);
    });
    await eventually('both are marked', async () => (await waitingRows()).length === 1);
    expect(bus.published.map(({ headers }) => headers['of'])).toEqual([undefined, 'earlier', 'later']);
  });

  it('does not wait for it when it is asked again, until it ends itself', async () => {
    const bus = new PartlyDeadBus();
    bus.dead.add(2);
    await insert(keysOf(2, 2));
    await startRelay(bus);
    await eventually('it has failed', () => bus.calls > 0);
    const answer = Promise.withResolvers<void>();
    bus.silent.set(2, answer.promise);
    const failed = bus.calls;
    await eventually('it is asked again', () => bus.calls > failed);
    await insert(keysOf(4, 1));
    await eventually('another is published', () => bus.published.length === 1);
    bus.dead.clear();
    const stopped = stopping.at(-1)!();
    const held = 'SELECT FROM outbox_lease WHERE expires_at > now()';
    for (let look = 0; look < 50; look += 1) expect((await database.query(held)).rowCount).toBe(1);
    await Promise.all([stopped, answer.resolve()]);
    expect(await waitingRows()).toEqual([]);
  });

  it('goes on when a topic is missing', async () => {
    const bus = new PartlyDeadBus();
    await insert(['lost'], { topic: 'nowhere' });
    await insert(['a', 'b']);
    await startRelay(bus);
    await eventually('the others are published', async () => (await waitingRows()).length === 1);
    expect(bus.keys).toEqual(['a', 'b']);
    expect(await waitingRows()).toEqual([{ key: 'lost', error: null }]);
  });

  it('keeps what it may not write for when it may, however final the refusal', async () => {
    const bus = new PartlyDeadBus();
    const [first, second] = keysOf(3, 2);
    for (const key of [first!, second!]) bus.refused.set(key, forbidden);
    await insert([first!, second!, ...keysOf(4, 1)]);
    await startRelay(bus);
    await eventually('it was refused, and asked for again', () => bus.calls > 1);
    expect(bus.keys).not.toContain(first);
    expect((await waitingRows())[0]).toEqual({ key: first, error: null });
    bus.refused.clear();
    await eventually('all are published', async () => (await waitingRows()).length === 0);
    expect(bus.keys.filter((key) => partitionOf(key) === 3)).toEqual([first, second]);
  });

  it('sets aside what no bus takes together with what is kept of it, or not at all', async () => {
    const bus = new PartlyDeadBus();
    bus.refused.set('large', tooLarge);
    await database.query('ALTER TABLE kept RENAME TO kept_away');
    await insert(['large', ...keysOf(4, 1)]);
    await startRelay(bus);
    await eventually('it was refused twice', () => bus.calls > 1);
    expect(await waitingRows()).toContainEqual({ key: 'large', error: null });
    await database.query('ALTER TABLE kept_away RENAME TO kept');
    await eventually('it is set aside', async () => (await database.query('SELECT FROM kept')).rowCount > 0);
    expect(await waitingRows()).toEqual([{ key: 'large', error: 'EVENT.TOO_LARGE' }]);
    const counted = /^ragmesh_dead_letters_total.*handler="document.publish",code="EVENT.TOO_LARGE"\} 1$/m;
    await eventually('it is counted once', async () => counted.test((await renderMetrics()).body));
  });

  it('asks it again now and then, not at once, and a relay that stands by asks for the lease as rarely', async () => {
    const bus = new PartlyDeadBus();
    await startRelay(bus);
    await insert(['first']);
    await eventually('the first relay has the lease', () => bus.published.length === 1);
    bus.dead.add(2);
    await insert(keysOf(2, 1));
    const standby = await startRelay(bus);
    await insert(keysOf(4, 1), { delayMs: 1_500 });
    await eventually('a while has passed', () => bus.published.length === 2);
    expect(Math.max(bus.calls, standby.queries)).toBeLessThan(20);
  });
});

describe('the lease of a relay', () => {
  it('is not asked for at every commit while another one has it', async () => {
    const [own, other] = [new CountingDatabase(createPool(url)), new CountingDatabase(createPool(url))];
    for (const each of [own, other]) stopping.push(() => each.close());
    expect(await new RelayLease(own, 'own').token()).toBeGreaterThan(0);
    const standby = new RelayLease(other, 'standby');
    for (let commit = 0; commit < 50; commit += 1) expect(await standby.token()).toBeUndefined();
    expect(other.queries).toBeLessThan(10);
  });

  it('stays with a relay whose pool has closed the connection that asked for it first', async () => {
    const lease = new RelayLease(database, 'own');
    const token = await lease.token();
    const time = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => time + 5_000);
    const held = await database.pool.connect(); // the one that asked, so that another one renews
    expect(await lease.token()).toBe(token);
    await held.query('SELECT 1');
    held.release(true);
    await eventually('its session is gone', async () => {
      const { rows } = await database.query<{ sessions: number }>(
        `SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE datname = current_database() AND state IS NOT NULL`,
      );
      return rows[0]!.sessions === 1;
    });
    expect(await new RelayLease(database, 'standby').token()).toBeUndefined();
  });

  it('is asked for anew when nothing could be marked under it, and nothing is published until then', async () => {
    const bus = new PartlyDeadBus();
    bus.beforeAnswer = async () => {
      bus.beforeAnswer = async () => undefined;
      await database.query(
        `UPDATE outbox_lease SET token = token + 1, holder = 'another', expires_at = now() + interval '10 seconds',
           session_pid = me.pid, session_start = me.backend_start
         FROM pg_stat_activity AS me WHERE me.pid = pg_backend_pid()`,
      );
    };
    await insert(['a']);
    const own = await startRelay(bus);
    await eventually('it was published', () => bus.calls === 1);
    const asked = own.queries;
    await eventually('it looks again', () => own.queries > asked + 2);
    expect(bus.calls).toBe(1);
    await database.query(`UPDATE outbox_lease SET expires_at = '-infinity'`);
    await eventually('it is marked', async () => (await waitingRows()).length === 0);
    expect([bus.calls > 1, ...bus.batches]).toEqual([true, 'a']);
  });
});
