import { AsyncLocalStorage } from 'node:async_hooks';
import { deadLetterTopic, retryTopic, type ServiceName } from '@ragmesh/contracts';
import {
  originTopic,
  readRetryState,
  retryHeaders,
  skip,
  type Attempt,
  type Delivery,
  type DeliveryJournal,
  type DeliveryState,
  type EventHandler,
  type Failure,
  type HandlerResult,
  type Message,
} from '@ragmesh/messaging';
import { inContext } from '@ragmesh/observability';
import type { Outbox } from '@ragmesh/outbox';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import { deadLetterHeaders } from './dead-letter-headers.js';
import { insertDeadLetter } from './dead-letter-store.js';
import { publishGivenUp } from './error-event.js';
import { GroupCommit, type GroupJob } from './group-commit.js';
import { storableFailure, storableName } from './storable-failure.js';

/** Fresh rows are written; rows whose attempt is due and not begun are begun; all others are reported as they are. */
const BEGIN = `
  WITH async AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
  input AS (
    SELECT event_id, handler_id, attempt, ord FROM async,
      unnest($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS t(event_id, handler_id, attempt, ord)),
  fresh AS (
    INSERT INTO inbox (event_id, handler_id, attempt, starts)
    SELECT DISTINCT ON (event_id, handler_id) event_id, handler_id, attempt, 1 FROM input
    ON CONFLICT DO NOTHING RETURNING event_id, handler_id, attempt),
  due AS (
    UPDATE inbox SET starts = 1 FROM input
    WHERE inbox.event_id = input.event_id AND inbox.handler_id = input.handler_id
      AND inbox.attempt = input.attempt AND starts = 0 AND finished_at IS NULL
    RETURNING inbox.event_id, inbox.handler_id, inbox.attempt)
  SELECT fresh.event_id IS NOT NULL OR due.event_id IS NOT NULL AS begun,
         coalesce(known.starts, 1) AS starts,
         known.finished_at IS NOT NULL OR known.attempt > input.attempt AS settled
  FROM input
  LEFT JOIN fresh USING (event_id, handler_id, attempt)
  LEFT JOIN due USING (event_id, handler_id, attempt)
  LEFT JOIN inbox known USING (event_id, handler_id)
  ORDER BY ord`;

/** A start may be lost where the server crashed under a handler that outlived it: no row says no more than an open one. */
const FINISH = `
  INSERT INTO inbox (event_id, handler_id, finished_at, outcome)
  SELECT event, handler, now(), 'handled' FROM unnest($1::text[], $2::text[]) AS done(event, handler)
  ON CONFLICT (event_id, handler_id) DO UPDATE SET finished_at = now(), outcome = 'handled'
  WHERE inbox.finished_at IS NULL RETURNING event_id, handler_id`;

/** For a start that was lost, see {@link FINISH}. */
const PUT_OFF = `
  INSERT INTO inbox (event_id, handler_id, attempt, starts) VALUES ($1, $2, $3, 0)
  ON CONFLICT (event_id, handler_id) DO UPDATE SET attempt = excluded.attempt, starts = 0
  WHERE inbox.attempt < excluded.attempt AND inbox.finished_at IS NULL RETURNING event_id`;

/** Sorted, so that two transactions that want the same locks do not wait for each other. */
const LOCK_ALL = `
  SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key) AS sorted`;

/** In one statement, so that none is long. */
const CLEAN_UP_ROWS = 5_000;

const CLEAN_UP = `
  DELETE FROM inbox WHERE (event_id, handler_id) IN (
    SELECT event_id, handler_id FROM inbox WHERE finished_at < now() - $1 * interval '1 hour' LIMIT ${CLEAN_UP_ROWS})`;

const INTERRUPTED = `
  UPDATE inbox SET starts = starts - 1
  FROM unnest($1::text[], $2::text[], $3::int[]) AS stopped(event, handler, number)
  WHERE event_id = event AND handler_id = handler AND attempt = number AND finished_at IS NULL AND starts > 0`;

/** Kept this long, so that replays and late redeliveries are still known. */
const KEEP_HOURS = 24 * 14;

type Work = Parameters<Delivery['commit']>[0];

/** The effect of one handled event, to be committed. */
interface Effect extends GroupJob {
  readonly eventId: string;
  readonly handlerId: string;
  readonly run: (...args: Parameters<Work>) => ReturnType<Work>;
  readonly locks: readonly string[];
}

interface BegunRow {
  readonly begun: boolean;
  readonly starts: number;
  readonly settled: boolean | null;
}

const columnsOf = (attempts: readonly Attempt[]): [string[], string[], number[]] => [
  attempts.map(({ eventId }) => eventId),
  attempts.map(({ handlerId }) => handlerId),
  attempts.map(({ attempt }) => attempt),
];

/** The inbox: remembers by event and handler, in the database that holds the effects. */
export class Inbox implements DeliveryJournal {
  readonly #effects = new GroupCommit<Effect, HandlerResult>((effects) => this.#commitAll(effects));

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly service: ServiceName,
  ) {}

  async begin(attempts: readonly Attempt[]): Promise<DeliveryState[]> {
    const { rows } = await this.database.query<BegunRow>(BEGIN, columnsOf(attempts));
    const seen = new Set<string>();
    return rows.map(({ begun, starts, settled }, index) => {
      const { eventId, handlerId, attempt } = attempts[index]!;
      const name = `${handlerId} ${eventId} ${attempt}`;
      const repeated = seen.has(name);
      seen.add(name);
      if (settled || (repeated && begun)) return { kind: 'settled' };
      return { kind: 'open', starts: begun ? 0 : starts };
    });
  }

  async beginAgain({ eventId, handlerId }: Attempt): Promise<void> {
    const sql = 'UPDATE inbox SET starts = starts + 1 WHERE event_id = $1 AND handler_id = $2 AND finished_at IS NULL';
    await this.database.query(sql, [eventId, handlerId]);
  }

  async interrupted(attempts: readonly Attempt[]): Promise<void> {
    await this.database.query(INTERRUPTED, columnsOf(attempts));
  }

  commit(handler: EventHandler, message: Message, work: Work, locks: readonly string[] = []): Promise<HandlerResult> {
    const inItsContext = AsyncLocalStorage.snapshot();
    return this.#effects.submit({
      key: message.subject,
      eventId: message.id,
      handlerId: handler.id,
      run: (tx, publish) => inItsContext(work, tx, publish),
      locks,
    });
  }

  async scheduleRetry({ record, handlerId, attempt }: Failure, delayMs: number): Promise<void> {
    const next = attempt + 1;
    const topic = retryTopic(originTopic(readRetryState(record)), this.service);
    await this.outbox.transaction(async (tx, out) => {
      const { rows } = await tx.query(PUT_OFF, [record.headers['ce_id'], handlerId, next]);
      if (rows.length === 0) return; // the same attempt was put off before
      const headers = retryHeaders(record, handlerId, next, new Date());
      out.add({ topic, key: record.key, headers, value: record.value, delayMs });
    });
  }

  async deadLetter(given: Failure): Promise<void> {
    const failure = storableFailure(given);
    const { record, handlerId } = failure;
    const { ce_id: eventId, ce_tenant: tenant = 'default', ce_correlation: requestId = '' } = record.headers;
    const work = (): Promise<void> =>
      this.outbox.transaction(async (tx, { add, publish }) => {
        if (!(await insertDeadLetter(tx, failure))) return;
        if (eventId) await this.#settle(tx, storableName(eventId), handlerId);
        add({
          topic: deadLetterTopic(originTopic(readRetryState(record)), this.service),
          key: record.key,
          headers: deadLetterHeaders(failure, new Date()),
          value: record.value,
        });
        publishGivenUp(publish, this.service, failure);
      }, eventId);
    await inContext({ tenant, requestId, subject: this.service }, work);
  }

  /**
   * Removes what no redelivery can refer to any more; call it now and then.
   * @param signal ends it between two statements.
   */
  async cleanUp(signal?: AbortSignal): Promise<void> {
    let removed = CLEAN_UP_ROWS;
    while (removed === CLEAN_UP_ROWS && !signal?.aborted)
      removed = (await this.database.query(CLEAN_UP, [KEEP_HOURS])).rowCount;
  }

  async #commitAll(effects: readonly Effect[]): Promise<HandlerResult[]> {
    return this.outbox.transaction(async (tx, out) => {
      const columns = [effects.map(({ eventId }) => eventId), effects.map(({ handlerId }) => handlerId)];
      const locks = effects.flatMap((effect) => effect.locks);
      const [{ rows }] = await Promise.all([
        tx.query<{ event_id: string; handler_id: string }>(FINISH, columns),
        ...(locks.length > 0 ? [tx.query(LOCK_ALL, [locks])] : []),
      ]);
      const open = new Set(rows.map(({ event_id, handler_id }) => `${handler_id} ${event_id}`));
      const running = effects.map(async ({ eventId, handlerId, run }): Promise<HandlerResult> => {
        if (!open.has(`${handlerId} ${eventId}`)) return skip('its effect is already committed');
        return (await run(tx, out.causedBy(eventId))) ?? { kind: 'ack' };
      });
      // All of them have to end before the transaction does, whatever became of one.
      const ended = await Promise.allSettled(running);
      return ended.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason;
        return outcome.value;
      });
    });
  }

  async #settle(tx: SqlTransaction, eventId: string, handlerId: string): Promise<void> {
    await tx.query(
      `INSERT INTO inbox (event_id, handler_id, finished_at, outcome) VALUES ($1, $2, now(), 'dead-letter')
       ON CONFLICT (event_id, handler_id) DO UPDATE SET finished_at = now(), outcome = 'dead-letter'`,
      [eventId, handlerId],
    );
  }
}
