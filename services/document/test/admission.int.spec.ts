import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { Inbox } from '@ragmesh/inbox';
import type { EventHandler, Message } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import type { DocumentConfig } from '../src/document.config.js';
import { AdmissionWorker } from '../src/sagas/admission-worker.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const IN_FLIGHT = 8;
const MANY = 108;

let stored: DocumentDatabase;
let database: Database;
let outbox: Outbox;
let inbox: Inbox;
let waiting: WaitingIngestions;
let ingestion: IngestionProcess;

const processOf = (config: Partial<DocumentConfig>): IngestionProcess =>
  new IngestionProcess(database, waiting, { INGESTION_IN_FLIGHT: IN_FLIGHT, ...config } as DocumentConfig);

const handler = { id: 'document.note-shown-version' } as EventHandler;

const as = <T>(tenant: string, work: () => T): T =>
  inContext({ tenant, requestId: `of ${tenant}`, subject: 'x' }, work);

async function query<Row = { count: number }>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  return (await database.query<Row>(sql, values)).rows;
}

const runningOf = async (tenant: string): Promise<number> =>
  (await query(`SELECT count(*)::int AS count FROM saga WHERE tenant = $1 AND status = 'running'`, [tenant]))[0]!.count;

const waitingOf = async (tenant: string): Promise<number> =>
  (await query('SELECT count(*)::int AS count FROM waiting_ingestion WHERE tenant = $1', [tenant]))[0]!.count;

/** Ids of the documents whose ingestion was told of, in the order it began. */
const announcedOf = async (prefix: string): Promise<string[]> =>
  (
    await query<{ key: string }>('SELECT key FROM outbox WHERE topic = $1 AND starts_with(key, $2) ORDER BY id', [
      catalogue.documentCreated.topic,
      prefix,
    ])
  ).map(({ key }) => key);

async function upload(
  tenant: string,
  id: string,
  access: readonly string[] | null = null,
  by = ingestion,
): Promise<void> {
  await as(tenant, () =>
    outbox.transaction(async (tx, { publish }) => {
      tx.write(
        `INSERT INTO document (tenant, id, collection, title, status, version, access, access_revision)
         VALUES ($1, $2, 'c', 't', 'uploaded', 1, $3, 1)`,
        [tenant, id, access],
      );
      await by.begin(tx, publish, { id, version: 1, collection: 'c', isUpdate: false });
    }),
  );
}

/** What the ingestion of a document waits for happens, up to its last step. */
async function shown(tenant: string, id: string): Promise<void> {
  await as(tenant, () =>
    outbox.transaction(async (tx, { publish }) => {
      const data = { chunks: 1, batches: 1 };
      await ingestion.deliver(tx, publish, id, 1, { kind: 'step-done', step: 'chunk', data });
      await ingestion.batchIndexed(tx, publish, { documentId: id, version: 1n, batch: 0 });
    }),
  );
}

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  outbox = new Outbox(database, 'document');
  inbox = new Inbox(database, outbox, 'document');
  waiting = new WaitingIngestions(database);
  ingestion = processOf({ INGESTION_IN_FLIGHT_SHARED: IN_FLIGHT });
});
afterAll(() => stored.stop());

it('no more begin than there is room for where the server takes what waits for a single row', async () => {
  for (let at = 0; at <= IN_FLIGHT; at += 1) await upload('planned', `p${at}`);
  await query('ANALYZE waiting_ingestion');
  for (let at = 1; at <= IN_FLIGHT; at += 1) await upload('planned', `p${IN_FLIGHT + at}`);
  const abort = { kind: 'abort', error: { code: 'DOCUMENT.CANCELLED', message: 'off' } } as const;
  await as('planned', () => outbox.transaction((tx, { publish }) => ingestion.deliver(tx, publish, 'p0', 1, abort)));
  expect(await runningOf('planned')).toBe(IN_FLIGHT);
  expect(await waitingOf('planned')).toBe(IN_FLIGHT);
});

describe('ingestions that end in one transaction', () => {
  it('let no more begin than there is room for, oldest first', async () => {
    for (let at = 0; at < MANY; at += 1) await upload('many', `m${at}`);
    const running = Array.from({ length: IN_FLIGHT }, (_, at) => `m${at}`);
    expect(await announcedOf('m')).toEqual(running);
    await Promise.all(running.map((id) => shown('many', id)));
    const attempts = running.map((id) => ({ eventId: `e-${id}`, handlerId: handler.id, attempt: 1 }));
    await inbox.begin(attempts);
    // Said in one turn, so they are one group.
    const results = running.map((id) =>
      as('many', () =>
        inbox.commit(handler, { id: `e-${id}`, subject: id } as Message, async (tx, publish) => {
          await ingestion.deliver(tx, publish, id, 1, { kind: 'step-done', step: 'show' });
        }),
      ),
    );
    expect(await Promise.all(results)).toEqual(running.map(() => ({ kind: 'ack' })));
    expect(await runningOf('many')).toBe(IN_FLIGHT);
    expect(await waitingOf('many')).toBe(MANY - 2 * IN_FLIGHT);
    expect(await announcedOf('m')).toEqual(Array.from({ length: 2 * IN_FLIGHT }, (_, at) => `m${at}`));
  });
});

describe('an ingestion that waited', () => {
  it('begins with what one begins with that did not wait, in the context of its upload', async () => {
    for (let at = 0; at < IN_FLIGHT; at += 1) await upload('same', `s${at}`, ['group:a']);
    await upload('same', 'w', ['group:a']);
    expect(await waitingOf('same')).toBe(1);
    const abort = { kind: 'abort', error: { code: 'DOCUMENT.CANCELLED', message: 'off' } } as const;
    await inContext({ tenant: 'same', requestId: 'another', subject: 'y' }, () =>
      outbox.transaction((tx, { publish }) => ingestion.deliver(tx, publish, 's1', 1, abort)),
    );
    const sagas = await query<{ id: string; data: object; request_id: string; step: string }>(
      `SELECT id, data - 'acceptedAt' AS data, request_id, step, deadline IS NOT NULL AS open FROM saga
       WHERE id IN ('same/s0@1', 'same/w@1') AND (data ->> 'acceptedAt')::timestamptz > now() - interval '1 hour' ORDER BY id`,
    );
    const data = (documentId: string) => ({
      ...{ tenant: 'same', documentId, version: 1, collection: 'c', chunks: 0, batches: 0, indexed: [] },
      access: { principals: ['group:a'], revision: 1 },
    });
    const begun = { request_id: 'of same', step: 'chunk', open: true };
    expect(sagas).toEqual([
      { id: 'same/s0@1', data: data('s0'), ...begun },
      { id: 'same/w@1', data: data('w'), ...begun },
    ]);
    const notes = await query(`SELECT step, status FROM saga_step WHERE saga_id = 'same/w@1'`);
    expect(notes).toEqual([{ step: 'chunk', status: 'started' }]);
  });
});

describe('the worker for what is left over', () => {
  it('begins what waits of one tenant though that of another cannot begin', async () => {
    for (const tenant of ['a bad', 'b good', 'c bad']) {
      await upload(tenant, `${tenant} first`);
      await query(
        `INSERT INTO waiting_ingestion (tenant, document_id, version, collection, is_update, request_id, subject, trace, accepted_at)
         VALUES ($1, $2, 1, 'c', false, 'r', 'x', '{}', now())`,
        [tenant, `${tenant} second`],
      );
    }
    await query(`ALTER TABLE saga ADD CONSTRAINT refused CHECK (id NOT LIKE '% bad second@1') NOT VALID`);
    const worker = new AdmissionWorker(outbox, waiting, ingestion, createLogger('document', 'silent'));
    worker.onApplicationBootstrap();
    await eventually('the other one has begun', async () => (await waitingOf('b good')) === 0);
    await worker.onModuleDestroy();
    expect([await runningOf('b good'), await waitingOf('a bad'), await waitingOf('c bad')]).toEqual([2, 1, 1]);
  });
});

describe('a tenant beside another', () => {
  it('has fewer on their way, from when the other one is heard of', async () => {
    const shared = processOf({ INGESTION_IN_FLIGHT_SHARED: 2 });
    const ids = Array.from({ length: IN_FLIGHT + 2 }, (_, at) => `x${at}`);
    for (const id of ids) await upload('alone', id, null, shared);
    expect(await runningOf('alone')).toBe(IN_FLIGHT);
    await upload('guest', 'g0', null, shared);
    expect(await runningOf('guest')).toBe(1);
    const abort = { kind: 'abort', error: { code: 'DOCUMENT.CANCELLED', message: 'off' } } as const;
    const end = (id: string): Promise<unknown> =>
      as('alone', () => outbox.transaction((tx, { publish }) => shared.deliver(tx, publish, id, 1, abort)));
    for (const id of ids.slice(0, IN_FLIGHT - 2)) await end(id);
    expect([await runningOf('alone'), await waitingOf('alone')]).toEqual([2, 2]);
    await end(ids[IN_FLIGHT - 1]!);
    expect([await runningOf('alone'), await waitingOf('alone')]).toEqual([2, 1]);
    const other = processOf({ INGESTION_IN_FLIGHT_SHARED: 2 });
    other.noteActive(['guest']);
    await upload('alone', 'y', null, other);
    expect(await waitingOf('alone')).toBe(2);
  });
});
