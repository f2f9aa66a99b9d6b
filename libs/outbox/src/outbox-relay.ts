import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import { asRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { outgoingHandler, type BusDriver } from '@ragmesh/messaging';
import { counter, type Logger } from '@ragmesh/observability';
import type { Database, Notifications, SqlTransaction } from '@ragmesh/postgres';
import type { Outbox, OutboxWriter } from './outbox.js';
import { OutboxHousekeeping } from './outbox-housekeeping.js';
import { OutboxRows, type OutboxRow } from './outbox-rows.js';
import { RelayLease } from './relay-lease.js';
import { RelayPass } from './relay-pass.js';
import { RowPublisher } from './row-publisher.js';
import { SettledRows } from './settled-rows.js';

const POLL_MS = 1_000;
const BACKOFF_MS = 500;
/** Rows that come in numbers are published in numbers: a pause this long after a batch of several. */
const LINGER_MS = 6;
const CHANNEL = 'ragmesh_outbox';

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
 * order is not id order; only while a partition is held back it goes on from row to row, see {@link RelayPass}. It waits for no
 * partition that does not answer. A crash between publishing and marking publishes again; inboxes absorb that.
 */
export class OutboxRelay {
  readonly #lease: RelayLease;
  readonly #housekeeping: OutboxHousekeeping;
  readonly #rows: OutboxRows;
  readonly #settled: SettledRows;
  readonly #pass = new RelayPass();
  readonly #publisher: RowPublisher;
  readonly #stopping = new AbortController();
  #wake: (() => void) | undefined;
  #woken = false;
  #isBusThere = false;
  #loop: Promise<void> | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(private readonly options: RelayOptions) {
    const { database, service, driver } = options;
    this.#lease = new RelayLease(database, `${service}-${process.pid}-${randomUUID()}`);
    this.#rows = new OutboxRows(database);
    this.#settled = new SettledRows(database);
    this.#publisher = new RowPublisher(driver, this.#rows, this.#pass, {
      setAside: (row, error) => this.#setAside(row, error),
      lostLease: () => this.#lease.lost(),
      answered: () => this.#signal(),
      failed: (error) => this.#report(error),
    });
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
    if (this.#isBusThere && (await this.#lease.token().catch(() => undefined)) !== undefined) return;
    // Another process holds the lease. Told outside of the writing transaction: NOTIFY makes commits queue up.
    await this.options.database
      .query(`SELECT pg_notify('${CHANNEL}', '')`)
      .catch((error: unknown) => this.#report(error));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#untilBusIsThere();
    while (!signal.aborted) {
      this.#woken = false;
      try {
        await this.#sleep(await this.#publishSome());
      } catch (error) {
        // What was read and not marked comes again, before anything of its keys that came after it.
        this.#pass.beginAnew();
        this.#settled.forget();
        this.#report(error);
        // Whatever is committed meanwhile would fail, too, so it does not end this pause.
        await delay(BACKOFF_MS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
    await this.#awaitAnswers();
  }

  /**
   * Before that the lease is left to a copy whose bus is there, and no row is read whose partition nobody can tell. That a bus
   * will never be there is told by who opened it.
   */
  async #untilBusIsThere(): Promise<void> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>();
    const { signal } = this.#stopping;
    signal.addEventListener('abort', () => resolve());
    const connected = Promise.resolve(this.options.driver.connected).then(() => void (this.#isBusThere = true));
    await Promise.race([stopped, connected.catch(() => stopped)]);
  }

  /** Under the lease: another relay would publish again what this one marks in a moment. */
  async #awaitAnswers(): Promise<void> {
    let isSettled = false;
    const settled = this.#publisher.settled().then(() => (isSettled = true));
    while (!isSettled) {
      await Promise.race([settled, delay(POLL_MS, undefined, { ref: false })]);
      await this.#lease.token().catch((error: unknown) => this.#report(error));
    }
  }

  /** @returns how many milliseconds there is nothing to do, unless something is committed. */
  async #publishSome(): Promise<number> {
    const token = await this.#lease.token();
    if (token === undefined) {
      this.#pass.beginAnew();
      return POLL_MS;
    }
    if (this.#publisher.isFull) return POLL_MS;
    this.#pass.release(performance.now());
    const { rows, isEnd } = await this.#next();
    if (rows.length > 0 && !(await this.#publisher.publish(rows, token))) this.#pass.beginAnew();
    if (!isEnd || this.#stopping.signal.aborted) return 0;
    const msToRetry = this.#pass.reachedEnd(performance.now());
    if (rows.length > 1) await delay(LINGER_MS);
    if (this.#woken) return 0;
    return Math.min(POLL_MS, msToRetry ?? (await this.#rows.msToNextDue()) ?? POLL_MS);
  }

  async #next(): Promise<{ rows: readonly OutboxRow[]; isEnd: boolean }> {
    const pass = this.#pass;
    if (!pass.isInterrupted) return this.#rows.oldest();
    const settled = await this.#settled.upTo();
    const { rows, after, isEnd } = await this.#rows.oldestAfter(pass.after, (row) =>
      pass.isHeldBack(row.topic, this.#publisher.partitionOf(row)),
    );
    // Beyond, a row may turn up below one that was read: with the next, of its key perhaps, all of these are read again.
    const next = Math.min(Number(after), settled);
    const isStuck = rows.length === 0 && next <= Number(pass.after);
    pass.lookedAt(Math.max(next, Number(pass.after)), rows.length);
    return { rows, isEnd: isEnd || isStuck };
  }

  async #setAside(row: OutboxRow, error: RagmeshError): Promise<void> {
    const { service, outbox, logger, keepRefused } = this.options;
    const { code } = error;
    await outbox.transaction(async (tx, out) => {
      this.#rows.setAside(tx, row.id, code);
      await keepRefused(tx, out, row, error);
    });
    logger.error({ code, topic: row.topic }, 'An event cannot be published and was set aside');
    counter('ragmesh_dead_letters_total').inc({ service, handler: outgoingHandler(service), code });
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
