import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import { asRagmeshError, isRagmeshError, RagmeshError } from '@ragmesh/errors';
import {
  partitionForKey,
  withSignature,
  type BusDriver,
  type OutgoingRecord,
  type PublishOutcome,
} from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import type { Database, Notifications, SqlTransaction } from '@ragmesh/postgres';
import type { Outbox, OutboxWriter } from './outbox.js';
import { OutboxHousekeeping } from './outbox-housekeeping.js';
import { OutboxRows, type OutboxRow, type RowPlace } from './outbox-rows.js';
import { RelayLease } from './relay-lease.js';
import { RelayPass } from './relay-pass.js';

const POLL_MS = 1_000;
const BACKOFF_MS = 500;
/** Rows that come in numbers are published in numbers: a pause this long after a batch of several. */
const LINGER_MS = 6;
const CHANNEL = 'ragmesh_outbox';
/** Of a topic that is not known here. */
const NO_PARTITION = -1;

/**
 * Keeps an event that the bus will not take where somebody finds it, in the transaction that sets its row aside. The row goes
 * again once its `error` is cleared.
 */
export type KeepRefused = (tx: SqlTransaction, out: OutboxWriter, row: OutboxRow, error: RagmeshError) => Promise<void>;

export interface RelayOptions {
  readonly service: ServiceName;
  readonly database: Database;
  readonly driver: BusDriver;
  readonly outbox: Outbox;
  readonly notifications: Notifications;
  readonly logger: Logger;
  readonly keepRefused: KeepRefused;
}

/**
 * The read half of the outbox. It looks at what is unpublished, never at "ids greater than the last one", because commit
 * order is not id order; only while a partition is held back it goes on from row to row, see {@link RelayPass}. A crash between
 * publishing and marking publishes again; inboxes absorb that.
 */
export class OutboxRelay {
  readonly #lease: RelayLease;
  readonly #housekeeping: OutboxHousekeeping;
  readonly #rows: OutboxRows;
  readonly #pass = new RelayPass();
  readonly #stopping = new AbortController();
  #wake: (() => void) | undefined;
  #woken = false;
  #loop: Promise<void> | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(private readonly options: RelayOptions) {
    const { database, service } = options;
    this.#lease = new RelayLease(database, `${service}-${process.pid}-${randomUUID()}`);
    this.#rows = new OutboxRows(database);
    this.#housekeeping = new OutboxHousekeeping(database, service, (error) => this.#report(error));
  }

  async start(): Promise<void> {
    const { outbox, notifications } = this.options;
    this.#unsubscribe = [outbox.onCommitted(() => void this.#committed())];
    this.#unsubscribe.push(await notifications.on(CHANNEL, () => this.#signal()));
    this.#loop = this.#run();
    this.#housekeeping.start();
  }

  /** Publishes nothing more once it resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#signal();
    await Promise.all([this.#loop, this.#housekeeping.stop()]);
    await this.#lease.release().catch((error: unknown) => this.#report(error));
  }

  async #committed(): Promise<void> {
    this.#signal();
    // Without an answer it is as if another one held it; the relay's own loop reports the failure.
    if ((await this.#lease.token().catch(() => undefined)) !== undefined) return;
    // Another process holds the lease. Told outside of the writing transaction: NOTIFY makes commits queue up.
    await this.options.database
      .query(`SELECT pg_notify('${CHANNEL}', '')`)
      .catch((error: unknown) => this.#report(error));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        await this.#sleep(await this.#publishSome());
      } catch (error) {
        // What was read and not marked comes again, before anything of its keys that came after it.
        this.#pass.beginAnew();
        this.#report(error);
        // Whatever is committed meanwhile would fail, too, so it does not end this pause.
        await delay(BACKOFF_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  /** @returns how many milliseconds there is nothing to do, unless something is committed. */
  async #publishSome(): Promise<number> {
    const token = await this.#lease.token();
    if (token === undefined) {
      this.#pass.beginAnew();
      return POLL_MS;
    }
    const { rows, isEnd } = await this.#next();
    if (rows.length > 0) await this.#publish(rows, token);
    if (!isEnd || this.#stopping.signal.aborted) return 0;
    const msToRetry = this.#pass.reachedEnd(performance.now());
    if (rows.length > 1) await delay(LINGER_MS);
    if (this.#woken) return 0;
    return Math.min(POLL_MS, msToRetry ?? (await this.#rows.msToNextDue()) ?? POLL_MS);
  }

  async #next(): Promise<{ rows: readonly OutboxRow[]; isEnd: boolean }> {
    const pass = this.#pass;
    if (pass.isInterrupted) {
      const { rows, after, isEnd } = await this.#rows.oldestAfter(pass.after, (row) =>
        pass.isHeldBack(row.topic, this.#partitionOf(row)),
      );
      pass.lookedAt(after);
      return { rows, isEnd };
    }
    const { rows, isEnd } = await this.#rows.oldest();
    const last = rows.at(-1);
    if (last) pass.lookedAt(last.id);
    return { rows, isEnd };
  }

  /** Publishes what the bus takes, sets aside what it never will, and holds back partitions that failed. */
  async #publish(rows: readonly OutboxRow[], token: number): Promise<void> {
    const records = rows.map((row) => this.#record(row));
    const outcomes = await this.#outcomesOf(records);
    const written = rows.flatMap(({ id }, at) => {
      const outcome = outcomes[at];
      return outcome && 'offset' in outcome ? [{ id, ...outcome }] : [];
    });
    if (written.length > 0 && (await this.#rows.mark(written, token)) === 0) {
      this.#pass.beginAnew();
      return this.#lease.lost();
    }
    let failure: Error | undefined;
    for (const [at, outcome] of outcomes.entries()) {
      if (!('error' in outcome)) continue;
      if (isOfTheRecord(outcome.error)) await this.#setAside(rows[at]!, outcome.error);
      else {
        const { topic, partition } = records[at]!;
        this.#pass.holdBack(topic, partition, performance.now());
        failure ??= outcome.error;
      }
    }
    if (failure) this.#report(failure);
  }

  /** In their order. A bus that takes nothing at all says so once: that says nothing about any one record. */
  async #outcomesOf(records: readonly OutgoingRecord[]): Promise<PublishOutcome[]> {
    const known = records.filter(({ partition }) => partition !== NO_PARTITION);
    let outcomes: readonly PublishOutcome[] = [];
    if (known.length > 0)
      outcomes = await this.options.driver.publish(known).catch((cause: unknown) => {
        const error = isOfTheRecord(cause) ? refused(cause) : (cause as Error);
        return known.map(() => ({ error }));
      });
    let next = 0;
    return records.map(({ topic, partition }) => (partition === NO_PARTITION ? noSuchTopic(topic) : outcomes[next++]!));
  }

  async #setAside(row: OutboxRow, error: RagmeshError): Promise<void> {
    const { outbox, logger, keepRefused } = this.options;
    const { code } = error;
    await outbox.transaction(async (tx, out) => {
      this.#rows.setAside(tx, row.id, code);
      await keepRefused(tx, out, row, error);
    });
    logger.error({ code, topic: row.topic }, 'An event cannot be published and was set aside');
  }

  #record(row: OutboxRow): OutgoingRecord {
    const { topic, key, headers: written, value, unsigned } = row;
    const headers = unsigned ? withSignature(written, value) : written;
    return { topic, key, headers, value, partition: this.#partitionOf(row) };
  }

  #partitionOf({ topic, key }: RowPlace): number {
    try {
      return partitionForKey(key, this.options.driver.partitionsOf(topic));
    } catch {
      return NO_PARTITION; // one topic that is missing must not keep the events of others
    }
  }

  #signal(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #sleep(ms: number): Promise<void> {
    if (ms === 0 || this.#woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  #report(error: unknown): void {
    this.options.logger.warn({ code: asRagmeshError(error).code, err: error }, 'The outbox relay will try again');
  }
}

/** Nothing is set aside because the bus refuses everything. */
const refused = (cause: unknown): RagmeshError =>
  new RagmeshError('DEPENDENCY.UNAVAILABLE', 'The event bus takes no records.', {}, { cause });

const noSuchTopic = (topic: string): PublishOutcome => ({
  error: new RagmeshError('DEPENDENCY.UNAVAILABLE', `Topic ${topic} does not exist; provision it.`, { topic }),
});

/**
 * Whether it lies in the record that it is not taken. A refusal may say it is final (a client without the right to write) and
 * still pass, and what waits for it must be there then.
 */
const isOfTheRecord = (error: unknown): error is RagmeshError =>
  isRagmeshError(error) && error.code === 'EVENT.TOO_LARGE';
