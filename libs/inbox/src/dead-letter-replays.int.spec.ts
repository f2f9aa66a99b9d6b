import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { catalogue, decodePayload, encodePayload } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { BusRecord, EventHandler, Message } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Outbox, outboxMigrations } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool, migrate } from '@ragmesh/postgres';
import { create } from '@bufbuild/protobuf';
import {
  DeadLetterReplays,
  DeadLetterStore,
  Inbox,
  ReplayFollower,
  inboxMigrations,
  keepRefusedEvents,
} from './index.js';

const handler = { id: 'vector.index-chunks' } as EventHandler;
const value = encodePayload(
  catalogue.chunksEmbedded,
  create(catalogue.chunksEmbedded.schema, { documentId: 'd', version: 7n, generation: 3 }),
);

function recordOf(eventId: string, more: Partial<BusRecord> = {}): BusRecord {
  const headers = {
    ce_id: eventId,
    ce_type: 'chunks.embedded',
    ce_subject: 'd',
    ce_tenant: 'default',
    ce_correlation: 'request-1',
  };
  const place = { topic: 'chunks.embedded', partition: 0, offset: Number(eventId.slice(1)), timestamp: 0 };
  return { ...place, key: 'd', headers, value, ...more };
}

/** One copy of the service. */
class Copy {
  readonly database: Database;
  readonly outbox: Outbox;
  readonly inbox: Inbox;
  readonly letters: DeadLetterStore;
  readonly replays: DeadLetterReplays;
  readonly follower: ReplayFollower;

  constructor(url: string) {
    this.database = new Database(createPool(url, { max: 5, applicationName: 'inbox-spec' }));
    this.outbox = new Outbox(this.database, 'vector');
    this.inbox = new Inbox(this.database, this.outbox, 'vector');
    this.letters = new DeadLetterStore(this.database);
    this.replays = new DeadLetterReplays(this.letters, this.outbox, 'vector');
    this.follower = new ReplayFollower(this.database, this.outbox, 'vector', createLogger('vector', 'error'));
  }

  async fail(record: BusRecord, handlerId = handler.id): Promise<void> {
    const error = new RagmeshError('STORAGE.UNAVAILABLE', 'The index is away.');
    await this.inbox.deadLetter({ record, handlerId, attempt: 6, error });
  }

  replay(ids: string[], rate = 1000) {
    const selection = { ids, filter: {}, limit: 100 };
    return this.replays.replay('default', selection, { by: 'spec', dryRun: false, rate });
  }

  /** Handles what was replayed as a consumer would. */
  handle(eventId: string) {
    return this.inbox.commit(handler, { id: eventId, subject: 'd' } as Message, () => Promise.resolve());
  }

  async copies(): Promise<{ headers: Record<string, string>; wait: number }[]> {
    const { rows } = await this.database.query<{ headers: Record<string, string>; wait: number }>(
      `SELECT headers, extract(epoch FROM available_at - now())::float8 AS wait FROM outbox
       WHERE topic = 'chunks.embedded.vector.retry' ORDER BY id`,
    );
    return rows;
  }

  async letter(id: string) {
    return (await this.letters.find('default', id))!;
  }
}

let dataDir: string;
let server: EmbeddedPostgres;
let one: Copy;
let two: Copy;
let turn = 0;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-inbox-'));
  server = await EmbeddedPostgres.start(dataDir);
});
afterAll(async () => {
  await server.stop();
  await rm(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  const url = server.url(`ragmesh_inbox_${(turn += 1)}`);
  await migrate(url, outboxMigrations, inboxMigrations);
  one = new Copy(url);
  two = new Copy(url);
});
afterEach(async () => {
  await one.database.close();
  await two.database.close();
});

const first = 'chunks.embedded:0:1:e1:vector.index-chunks';

describe('an event the bus refuses', () => {
  const error = new RagmeshError('EVENT.TOO_LARGE', 'It is too large.');

  /** As the relay does it. */
  async function refuse(copy: Copy, id: string): Promise<void> {
    const { headers } = recordOf('e7', {});
    const row = { id, topic: 'chunks.embedded.vector.retry', key: 'd', value: Buffer.from(value), unsigned: false };
    await copy.outbox.transaction(async (tx, out) => {
      tx.write(`UPDATE outbox SET error = 'EVENT.TOO_LARGE' WHERE id = $1`, [id]);
      const copied = { ...headers, 'ragmesh-attempt': '3', 'ragmesh-origin': 'chunks.embedded/0/1' };
      await keepRefusedEvents('vector')(tx, out, { ...row, headers: copied }, error);
    });
  }

  it('is a letter that says what waits for it, and whose replay publishes it', async () => {
    const { rows } = await one.database.query<{ id: string }>(
      `INSERT INTO outbox (topic, key, headers, value) VALUES ('chunks.embedded.vector.retry', 'd', '{}', '') RETURNING id`,
    );
    const id = String(rows[0]!.id);
    await refuse(one, id);
    const letter = `chunks.embedded.vector.retry:-1:${id}:e7:vector.publish`;
    expect(await one.letter(letter)).toMatchObject({ status: 'parked', code: 'EVENT.TOO_LARGE', event_id: 'e7' });
    const told = await one.database.query<{ value: Buffer }>(`SELECT value FROM outbox WHERE topic = 'error.occurred'`);
    expect(told.rows.map((row) => decodePayload(catalogue.errorOccurred, row.value))).toMatchObject([
      { service: 'vector', topic: 'chunks.embedded', subject: 'd', version: 7n, code: 'EVENT.TOO_LARGE' },
    ]);

    await one.replay([letter]);
    await refuse(one, id);
    expect(await one.letter(letter)).toMatchObject({ status: 'parked', replays: 1 });

    await one.replay([letter]);
    expect(await one.follower.follow()).toBe(0);
    const published = 'UPDATE outbox SET published_at = now() WHERE id = $1 AND error IS NULL';
    expect((await one.database.query(published, [id])).rowCount).toBe(1);
    expect(await one.follower.follow()).toBe(1);
    expect(await one.letter(letter)).toMatchObject({ status: 'replayed' });
  });
});

describe('a replay', () => {
  it('happens once when two copies of the service are asked at once', async () => {
    await one.fail(recordOf('e1'));
    const settled = await Promise.all([one, two, one, two].map((copy) => copy.replay([first])));
    expect(settled.flatMap(({ letters }) => letters).filter(({ refusal }) => !refusal)).toHaveLength(1);
    expect(await one.copies()).toMatchObject([
      {
        headers: {
          ce_id: 'e1',
          'ragmesh-handler': handler.id,
          'ragmesh-attempt': '7',
          'ragmesh-origin': 'chunks.embedded/0/1',
        },
      },
    ]);
    expect(await one.letter(first)).toMatchObject({ status: 'replaying', replays: 1 });
  });

  it('lets the event in for that attempt and no other', async () => {
    await one.fail(recordOf('e1'));
    await one.replay([first]);
    const attempt = { eventId: 'e1', handlerId: handler.id };
    expect(await two.inbox.begin([{ ...attempt, attempt: 6 }])).toEqual([{ kind: 'settled' }]);
    expect(await two.inbox.begin([{ ...attempt, attempt: 7 }])).toEqual([{ kind: 'open', starts: 0 }]);
  });

  it('is all or nothing', async () => {
    await one.fail(recordOf('e1'));
    await one.database.query('ALTER TABLE outbox RENAME TO outbox_away');
    await expect(one.replay([first])).rejects.toThrow();
    await one.database.query('ALTER TABLE outbox_away RENAME TO outbox');
    expect(await one.letter(first)).toMatchObject({ status: 'parked', replays: 0 });
    expect(await one.letters.replaysOf('default', first)).toEqual([]);
    const again = { eventId: 'e1', handlerId: handler.id, attempt: 7 };
    expect(await one.inbox.begin([again])).toEqual([{ kind: 'settled' }]);
  });

  it('that succeeds is noted once and told to those who gave up waiting', async () => {
    await one.fail(recordOf('e1'));
    await one.replay([first]);
    expect(await one.follower.follow()).toBe(0);
    await two.handle('e1');
    const followed = await Promise.all([one.follower.follow(), two.follower.follow()]);
    expect(followed[0]! + followed[1]!).toBe(1);
    expect(await one.letter(first)).toMatchObject({ status: 'replayed', replays: 1 });
    expect(await one.letters.replaysOf('default', first)).toMatchObject([{ number: 1, result: 'succeeded' }]);
    const { rows } = await one.database.query(
      `SELECT headers ->> 'ce_correlation' AS correlation, convert_from(value, 'utf8')::jsonb AS payload
       FROM outbox WHERE topic = 'event.replayed'`,
    );
    expect(rows).toEqual([
      {
        correlation: 'request-1',
        payload: expect.objectContaining({ subject: 'd', version: '7', eventType: 'chunks.embedded', eventId: 'e1' }),
      },
    ]);
  });

  it('that fails parks the letter again; the third quarantines it', async () => {
    await one.fail(recordOf('e1'));
    for (const number of [1, 2, 3]) {
      await one.replay([first]);
      await two.fail(recordOf('e1'));
      expect((await one.letters.replaysOf('default', first)).at(-1)).toMatchObject({
        number,
        result: 'failed',
        code: 'STORAGE.UNAVAILABLE',
      });
    }
    expect(await one.letter(first)).toMatchObject({ status: 'quarantined', replays: 3 });
    const { letters } = await one.replay([first]);
    expect(letters[0]!.refusal).toMatchObject({ code: 'DEAD_LETTER.QUARANTINED', details: { limit: 3 } });
  });

  it('that led to new events of the same work is counted against their letters too', async () => {
    await one.fail(recordOf('e1'));
    await one.replay([first]);
    await one.handle('e1');
    await one.follower.follow();
    await one.fail(recordOf('e2'));
    await one.fail(recordOf('e3', { headers: { ...recordOf('e3').headers, ce_correlation: 'request-2' } }));
    expect((await one.letter('chunks.embedded:0:2:e2:vector.index-chunks')).replays).toBe(1);
    expect((await one.letter('chunks.embedded:0:3:e3:vector.index-chunks')).replays).toBe(0);
  });

  it('of an event whose effect is committed changes nothing', async () => {
    await one.fail(recordOf('e1'));
    await one.database.query(`UPDATE inbox SET outcome = 'handled'`);
    await one.replay([first]);
    const again = { eventId: 'e1', handlerId: handler.id, attempt: 7 };
    expect(await one.inbox.begin([again])).toEqual([{ kind: 'settled' }]);
    await one.follower.follow();
    expect(await one.letter(first)).toMatchObject({ status: 'replayed' });
  });

  it('of many keeps to its rate', async () => {
    for (const number of [1, 2, 3]) await one.fail(recordOf(`e${number}`));
    const selection = { ids: [], filter: { code: 'STORAGE.UNAVAILABLE' }, limit: 2 };
    const { letters, matched } = await one.replays.replay('default', selection, {
      by: 'spec',
      dryRun: false,
      rate: 0.1,
      ahead: 6,
    });
    expect({ letters: letters.length, matched }).toEqual({ letters: 2, matched: 3 });
    const [first, second] = (await one.copies()).map(({ wait }) => wait);
    expect(second! - first!).toBeCloseTo(10, 1);
    expect(first).toBeLessThanOrEqual(60);
    expect(first).toBeGreaterThan(30); // as of now, which may be late
  });

  it('of a record nobody could read is for whoever can read it now', async () => {
    await one.fail(recordOf('e1'), 'vector.unreadable');
    await one.replay(['chunks.embedded:0:1:e1:vector.unreadable']);
    const [copy] = await one.copies();
    expect(copy!.headers).not.toHaveProperty('ragmesh-handler');
    await one.inbox.begin([{ eventId: 'e1', handlerId: handler.id, attempt: 1 }]);
    await one.handle('e1');
    expect(await one.follower.follow()).toBe(1);
    expect((await one.letter('chunks.embedded:0:1:e1:vector.unreadable')).status).toBe('replayed');
  });

  it('is for its own tenant only', async () => {
    await one.fail(recordOf('e1'));
    const selection = { ids: [first], filter: {}, limit: 10 };
    const { letters } = await one.replays.replay('other', selection, { by: 'spec', dryRun: false, rate: 1 });
    expect(letters[0]!.refusal?.code).toBe('DEAD_LETTER.NOT_FOUND');
    expect(await one.letters.list('other', {}, 10)).toEqual([]);
  });
});

describe('a letter', () => {
  it('of a record nobody could read names no work that would be taken for failed: anybody may have written it', async () => {
    await one.fail(recordOf('e1'));
    await one.fail(recordOf('e2'), 'vector.unreadable');
    const { rows } = await one.database.query<{ value: Buffer }>(
      `SELECT value FROM outbox WHERE topic = 'error.occurred' ORDER BY id`,
    );
    const told = rows.map(({ value: bytes }) => decodePayload(catalogue.errorOccurred, bytes));
    expect(told.map(({ version, generation }) => [version, generation])).toEqual([
      [7n, 3],
      [0n, undefined],
    ]);
  });
});
