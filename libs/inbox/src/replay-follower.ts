import { catalogue, type ServiceName } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import { outgoingHandler, unreadableHandler } from '@ragmesh/messaging';
import { gauge, inContext, type Logger } from '@ragmesh/observability';
import type { Outbox, OutboxWriter } from '@ragmesh/outbox';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import { PeriodicTask } from '@ragmesh/resilience';
import { STATUS } from './dead-letter-sql.js';
import { scopeOf } from './event-scope.js';

const POLL_MS = 1_000;
const MEASURE_TICKS = 10;
const FORGET_TICKS = 3_600;
const KEEP_SETTLED_DAYS = 30;
/** A replay without a result by then: its copy outlived the retention of its topic. */
const LOST_AFTER_HOURS = 24;

/**
 * Replays whose event was handled. One of a record that had been unreadable has succeeded as soon as a handler ended with it,
 * whatever the end: if it was a failure, that is a dead letter of its own. One that the bus had refused has as soon as it took it:
 * a row that is not there any more was published, since nothing else is removed while its letter is open.
 */
const HANDLED = `
  SELECT l.id, l.tenant, l.handler_id, l.event_id, l.subject, l.origin_topic, l.key, l.headers, l.value
  FROM dead_letter_replay r JOIN dead_letter l ON l.id = r.letter_id
  WHERE r.result IS NULL AND CASE WHEN l.handler_id = $2
    THEN NOT EXISTS (SELECT FROM outbox o WHERE o.id = l.origin_offset AND o.published_at IS NULL)
    ELSE EXISTS (SELECT FROM inbox i WHERE i.event_id = l.event_id AND i.finished_at IS NOT NULL
      AND CASE WHEN l.handler_id = $1 THEN i.handler_id <> $1
          ELSE i.handler_id = l.handler_id AND i.outcome <> 'dead-letter' END) END
  ORDER BY r.requested_at LIMIT 100 FOR UPDATE OF r SKIP LOCKED`;

const SUCCEED = `
  WITH succeeded AS (
    UPDATE dead_letter_replay SET result = 'succeeded', finished_at = now() WHERE letter_id = $1 AND result IS NULL)
  UPDATE dead_letter SET status = 'replayed', settled_at = now() WHERE id = $1`;

const GIVE_UP = `
  WITH lost AS (
    UPDATE dead_letter_replay SET result = 'failed', code = 'REQUEST.TIMEOUT', finished_at = now()
    WHERE result IS NULL AND requested_at < now() - $1 * interval '1 hour' RETURNING letter_id)
  UPDATE dead_letter SET status = 'parked' FROM lost WHERE id = lost.letter_id`;

/** With the rows of events that the bus had refused and nobody published. */
const FORGET = `
  WITH forgotten AS (
    DELETE FROM dead_letter WHERE settled_at < now() - $1 * interval '1 day'
    RETURNING handler_id, origin_topic, origin_offset)
  DELETE FROM outbox USING forgotten
  WHERE handler_id = $2 AND topic = origin_topic AND id = origin_offset AND published_at IS NULL`;

interface HandledLetter {
  readonly id: string;
  readonly tenant: string;
  readonly handler_id: string;
  readonly event_id: string;
  readonly subject: string;
  readonly origin_topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
}

/**
 * Notes which replays succeeded and says `event.replayed`, so that whoever had given up waiting for the event goes on. It
 * reads the inbox instead of standing in the way of every event; copies of a service share the work by row locks.
 */
export class ReplayFollower {
  readonly #looks = new PeriodicTask(() => this.#tick(), POLL_MS);
  #ticks = 0;

  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly service: ServiceName,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#looks.start();
  }

  /** Writes nothing more once it resolves. */
  stop(): Promise<void> {
    return this.#looks.stop();
  }

  /** Looks once. @returns how many replays have succeeded since the last look. */
  async follow(): Promise<number> {
    return this.outbox.transaction(async (tx, out) => {
      const { rows } = await tx.query<HandledLetter>(HANDLED, [
        unreadableHandler(this.service),
        outgoingHandler(this.service),
      ]);
      for (const letter of rows) await this.#succeed(tx, out, letter);
      return rows.length;
    });
  }

  async #tick(): Promise<void> {
    try {
      await this.follow();
      if (this.#ticks % MEASURE_TICKS === 0) await this.#measure();
      if (this.#ticks % FORGET_TICKS === 0) await this.#forget();
      this.#ticks += 1;
    } catch (error) {
      this.logger.warn({ code: asRagmeshError(error).code }, 'Results of replays will be read again');
    }
  }

  async #measure(): Promise<void> {
    const sql = `SELECT ${STATUS} AS status, count(*)::int AS count FROM dead_letter WHERE settled_at IS NULL GROUP BY 1`;
    const { rows } = await this.database.query<{ status: string; count: number }>(sql);
    for (const status of ['parked', 'replaying', 'quarantined']) {
      const count = rows.find((row) => row.status === status)?.count ?? 0;
      gauge('ragmesh_dead_letters_open').set({ service: this.service, status }, count);
    }
  }

  async #forget(): Promise<void> {
    await this.outbox.transaction(async (tx) => {
      await tx.query(GIVE_UP, [LOST_AFTER_HOURS]);
      await tx.query(FORGET, [KEEP_SETTLED_DAYS, outgoingHandler(this.service)]);
    });
  }

  /** Tells it as part of the request that began it all, so that what follows is known to follow from it. */
  async #succeed(tx: SqlTransaction, { publish }: OutboxWriter, letter: HandledLetter): Promise<void> {
    await tx.query(SUCCEED, [letter.id]);
    const requestId = letter.headers['ce_correlation'] ?? letter.event_id;
    inContext({ tenant: letter.tenant, requestId, subject: this.service }, () =>
      publish(catalogue.eventReplayed, letter.key, {
        service: this.service,
        handler: letter.handler_id,
        topic: letter.origin_topic,
        eventId: letter.event_id,
        eventType: letter.headers['ce_type'] ?? '',
        subject: letter.subject,
        version: scopeOf(letter.headers, letter.value).version,
      }),
    );
  }
}
