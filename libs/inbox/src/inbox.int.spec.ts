import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import {
  encodeEvent,
  readRetryState,
  retryHeaders,
  type BusRecord,
  type EventHandler,
  type Message,
} from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Outbox, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate, storableText } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { HandlerRegistry } from '../../messaging/src/handling/event-handler.js';
import { defaultRetryPolicy } from '../../messaging/src/handling/retry-policy.js';
import { DeliveryPipeline } from '../../messaging/src/pipeline/delivery-pipeline.js';
import { DeadLetterReplays, DeadLetterStore, Inbox, inboxMigrations } from './index.js';
import { describeLostStarts, first, handlerId, putOff, second } from '../test/lost-starts.suite.js';

let folder: string;
let server: EmbeddedPostgres;
let database: Database;
let inbox: Inbox;
let replays: DeadLetterReplays;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-inbox-'));
  server = await EmbeddedPostgres.start(folder);
  await migrate(server.url('inbox'), outboxMigrations, inboxMigrations);
  database = new Database(createPool(server.url('inbox'), { max: 4 }));
  const outbox = new Outbox(database, 'vector');
  inbox = new Inbox(database, outbox, 'vector');
  replays = new DeadLetterReplays(new DeadLetterStore(database), outbox, 'vector');
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('starts in the inbox', () => {
  it('are new once, and counted from then on', async () => {
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 0 }]);
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 1 }]);
    await inbox.beginAgain(first('e1'));
    expect(await inbox.begin([first('e1')])).toEqual([{ kind: 'open', starts: 2 }]);
  });

  it('of an attempt that was put off are settled, those of its retry are not, also when both come at once', async () => {
    await inbox.begin([first('e2')]);
    await putOff(inbox, 'e2');
    expect(await inbox.begin([first('e2'), second('e2')])).toEqual([{ kind: 'settled' }, { kind: 'open', starts: 0 }]);
    expect(await inbox.begin([first('e2'), second('e2')])).toEqual([{ kind: 'settled' }, { kind: 'open', starts: 1 }]);
  });

  it('of the same record twice at once are one', async () => {
    expect(await inbox.begin([first('e3'), first('e3')])).toEqual([{ kind: 'open', starts: 0 }, { kind: 'settled' }]);
  });

  it('are taken back from attempts that were stopped from outside, and from no others', async () => {
    await inbox.begin([first('e4')]);
    await inbox.interrupted([first('e4')]);
    expect(await inbox.begin([first('e4')])).toEqual([{ kind: 'open', starts: 0 }]);
    await inbox.beginAgain(first('e4'));
    await inbox.interrupted([first('e4'), second('e4'), first('never seen')]);
    expect(await inbox.begin([first('e4')])).toEqual([{ kind: 'open', starts: 1 }]);
  });
});

describeLostStarts(() => ({ inbox, database }));

/** Whatever a writer who knows no rules may put there. */
function strange(offset: number, more: Record<string, string>, key = 'd'): BusRecord {
  const headers = {
    ce_id: `strange-${offset}`,
    ce_type: 'chunks.embedded',
    ce_subject: 'd',
    ce_tenant: 'default',
    ...more,
  };
  const place = { topic: 'chunks.embedded', partition: 0, offset, timestamp: 0 };
  return { ...place, key, headers, value: Buffer.from('\0') };
}

const long = Array.from({ length: 4_000 }, (_, at) => String.fromCharCode(0x4e00 + ((at * 7919) % 20_000))).join('');

describe('a record nobody of ours wrote', () => {
  it.each([
    ['NUL in its key', strange(1, {}, 'a\0b')],
    ['NUL in a header', strange(2, { ce_subject: 'a\0b', ce_tenant: 'c\0d', ce_id: 'e\0f', ce_correlation: '\0' })],
    ['NUL in the name of a header', strange(3, { 'x\0y': 'z' })],
    ['half a character', strange(4, { note: '\ud800' })],
    ['another origin', strange(5, { 'ragmesh-origin': 'nowhere/x/y' })],
    ['an attempt beyond all numbers', strange(6, { 'ragmesh-attempt': '99999999999' })],
    ['a time there is not', strange(7, { 'ragmesh-first-failed-at': '2026-02-31T00:00:00Z' })],
    ['names without an end', strange(8, { ce_id: long, ce_subject: long, ce_tenant: long, ce_type: long })],
  ])('with %s is kept with its bytes', async (_, record) => {
    const error = new RagmeshError('EVENT.INVALID', 'It says \0.');
    const { attempt } = readRetryState(record);
    await inbox.deadLetter({ record, handlerId: 'vector.unreadable', attempt, error });
    const { rows } = await database.query(
      `SELECT value, message, origin_topic, tenant FROM dead_letter WHERE origin_offset = $1 AND handler_id = 'vector.unreadable'`,
      [record.offset],
    );
    const place = { origin_topic: 'chunks.embedded', tenant: 'default' }; // a tenant that operators can name
    expect(rows).toEqual([{ value: Buffer.from('\0'), message: 'It says \ufffd.', ...place }]);
    const copies = await database.query(
      `SELECT 1 FROM outbox WHERE topic = 'chunks.embedded.vector.dlt' AND octet_length(value) = 1
       AND headers ->> 'ce_id' = $1 AND headers ->> 'ragmesh-dlt-reason' = $2
       AND headers ?& ARRAY['ragmesh-origin', 'ragmesh-first-failed-at', 'ragmesh-dlt-failed-at']`,
      [storableText(record.headers['ce_id']!), 'It says \ufffd.'],
    );
    expect(copies.rowCount).toBe(1);
  });

  it('is put off with headers that no table takes', async () => {
    const record = strange(20, { ce_id: 'e20', traceparent: '\0' });
    await inbox.begin([first('e20')]);
    const error = new RagmeshError('STORAGE.UNAVAILABLE', 'Away.');
    await inbox.scheduleRetry({ record, handlerId, attempt: 1, error }, 0);
    expect(await inbox.begin([second('e20')])).toEqual([{ kind: 'open', starts: 0 }]);
  });
});

/** Letters of what lay at an offset, the event that came first first. */
async function lettersAt(offset: number): Promise<unknown[]> {
  const { rows } = await database.query(
    'SELECT id, event_id, status, replays, code FROM dead_letter WHERE origin_offset = $1 ORDER BY event_id',
    [offset],
  );
  return rows;
}

const replay = (id: string) =>
  replays.replay('default', { ids: [id], filter: {}, limit: 1 }, { by: 'spec', dryRun: false, rate: 1 });

describe('a new event where an old one lay, on a bus that began anew under restored databases', () => {
  const code = 'STORAGE.UNAVAILABLE';
  const fail = (offset: number, eventId: string): Promise<void> => {
    const error = new RagmeshError(code, 'The index is away.');
    return inbox.deadLetter({ record: strange(offset, { ce_id: eventId }), handlerId, attempt: 6, error });
  };

  it('has a letter of its own, is settled and told of', async () => {
    const [old, own] = ['old', 'own'].map((event) => `chunks.embedded:0:31:${event}:${handlerId}`) as [string, string];
    await fail(31, 'old');
    await replay(old);
    await fail(31, 'own');
    expect(await lettersAt(31)).toEqual([
      { id: old, event_id: 'old', status: 'replaying', replays: 1, code },
      { id: own, event_id: 'own', status: 'parked', replays: 0, code },
    ]);
    expect(await inbox.begin([first('own')])).toEqual([{ kind: 'settled' }]);
    const told = `SELECT FROM outbox WHERE topic = 'error.occurred' AND convert_from(value, 'utf8')::jsonb ->> 'eventId' = 'own'`;
    expect((await database.query(told)).rowCount).toBe(1);
  });

  it('leaves the letter alone that a release made which did not name the event in its id', async () => {
    const former = `chunks.embedded:0:32:${handlerId}`;
    await fail(32, 'old');
    await database.query('UPDATE dead_letter SET id = $1 WHERE origin_offset = 32', [former]);
    await replay(former);
    await fail(32, 'own');
    await fail(32, 'old');
    expect(await lettersAt(32)).toEqual([
      { id: former, event_id: 'old', status: 'parked', replays: 1, code },
      { id: `chunks.embedded:0:32:own:${handlerId}`, event_id: 'own', status: 'parked', replays: 0, code },
    ]);
  });

  it('is parked again where a copy of a former release made a twin while it was replayed', async () => {
    const own = `chunks.embedded:0:33:own:${handlerId}`;
    const all = `tenant, handler_id, event_id, event_type, subject, origin_topic, origin_partition, origin_offset, key, headers, value,
      code, message, attempts, first_failed_at`;
    await fail(33, 'own');
    await replay(own);
    const twin = `INSERT INTO dead_letter (id, ${all}) SELECT $1, ${all} FROM dead_letter WHERE id = $2`;
    await database.query(twin, [`chunks.embedded:0:33:${handlerId}`, own]);
    await fail(33, 'own');
    expect(await lettersAt(33)).toContainEqual({ id: own, event_id: 'own', status: 'parked', replays: 1, code });
  });
});

describe('a retry whose handler this release does not have', () => {
  const spec = catalogue.documentDeleted;

  function retryOf(offset: number, handler: string): BusRecord {
    const context = { source: '/ragmesh/document', tenant: 'default', actor: 'ada', correlationId: 'r', trace: {} };
    const { topic, key, headers, value } = encodeEvent(spec, 'd', { documentId: 'd' }, context);
    const record = { topic, key, headers, value, partition: 0, offset, timestamp: 0 };
    return { ...record, headers: retryHeaders(record, handler, 2, new Date()) };
  }

  async function run(record: BusRecord): Promise<void> {
    const registry = new HandlerRegistry();
    const handle = () => Promise.reject(new Error('It is not for this one.'));
    registry.add({ id: 'vector.remove-document', spec, deadlineSeconds: 60, handle });
    const logger = createLogger('vector', 'silent');
    const retry = defaultRetryPolicy;
    const pipeline = new DeliveryPipeline({ service: 'vector', registry, journal: inbox, retry, logger });
    await pipeline.run(record, pipeline.attemptsAt(new AbortController().signal));
  }

  it('is given up as that of its handler, so that it can be replayed when all copies have it', async () => {
    const record = retryOf(41, 'vector.renamed');
    await run(record);
    const id = `${spec.topic}:0:41:${record.headers['ce_id']!}:vector.renamed`;
    const code = 'EVENT.VERSION_UNSUPPORTED';
    expect(await lettersAt(41)).toMatchObject([{ id, status: 'parked', code }]);
    expect((await replay(id)).letters).toEqual([{ id }]);
    const { rows } = await database.query<{ handler: string }>(
      `SELECT headers ->> 'ragmesh-handler' AS handler FROM outbox WHERE topic = $1`,
      [`${spec.topic}.vector.retry`],
    );
    expect(rows).toEqual([{ handler: 'vector.renamed' }]);
  });

  it('is passed over when a copy that has it has ended with it', async () => {
    const record = retryOf(42, 'vector.renamed');
    const message = { id: record.headers['ce_id']!, subject: 'd' } as Message;
    await inbox.begin([{ eventId: message.id, handlerId: 'vector.renamed', attempt: 2 }]);
    await inbox.commit({ id: 'vector.renamed' } as EventHandler, message, () => Promise.resolve());
    await run(record);
    expect(await lettersAt(42)).toEqual([]);
  });

  it.each([
    [43, 'vector.publish'],
    [44, 'vector.a name of nobody'],
    [45, 'document.renamed'],
  ])('is nobody’s when that can be none of this service: %d, %s', async (offset, handler) => {
    await run(retryOf(offset, handler));
    expect(await lettersAt(offset)).toMatchObject([{ id: expect.stringMatching(/:vector\.unreadable$/) }]);
  });
});

describe('cleaning up', () => {
  it('goes on until nothing is left that is old', async () => {
    await database.query(
      `INSERT INTO inbox (event_id, handler_id, finished_at, outcome)
       SELECT 'old-' || n, 'spec', now() - interval '15 days', 'handled' FROM generate_series(1, 11000) AS n`,
    );
    await inbox.cleanUp();
    expect((await database.query(`SELECT 1 FROM inbox WHERE handler_id = 'spec'`)).rowCount).toBe(0);
  });
});

describe('locks that effects hold', () => {
  it('are taken in one order, so that groups that want the same ones do not roll each other back', async () => {
    const commits: Promise<unknown>[] = [];
    const transactions = new Set<string>();
    const commit = (eventId: string, lock: string): void => {
      const message = { id: eventId, subject: eventId } as Message;
      const work: Parameters<Inbox['commit']>[2] = async (tx) => {
        const { rows } = await tx.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
        transactions.add(rows[0]!.id);
      };
      commits.push(inbox.commit({ id: handlerId } as EventHandler, message, work, [lock]));
    };
    const waiting = async (many: number): Promise<void> => {
      const sql = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (
        SELECT oid FROM pg_database WHERE datname = current_database())`;
      await eventually(`${many} wait for a lock`, async () => (await database.query(sql)).rowCount >= many);
    };
    await inbox.begin(['l1', 'l2', 'l3', 'l4'].map(first));
    const keyed = await database.query<{ name: string }>(
      `SELECT name FROM unnest(ARRAY['x', 'y']) AS name ORDER BY hashtextextended(name, 0)`,
    );
    const [low, high] = keyed.rows.map(({ name }) => name) as [string, string];
    // Held until both groups wait: the one that asks the other way round has the second lock by then, if it may.
    await database.transaction(async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [low]);
      commit('l1', low);
      commit('l2', high);
      await waiting(1);
      commit('l3', high);
      commit('l4', low);
      await waiting(2);
    });
    await Promise.all(commits);
    expect(transactions.size).toBe(2);
  });
});
