import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceName } from '@ragmesh/contracts';
import { asRagmeshError, isRagmeshError } from '@ragmesh/errors';
import {
  partitionForKey,
  withSignature,
  type BusDriver,
  type OutgoingRecord,
  type PublishOutcome,
} from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import type { Database, Notifications } from '@ragmesh/postgres';
import type { Outbox } from './outbox.js';
import { OutboxHousekeeping } from './outbox-housekeeping.js';
import { RelayLease } from './relay-lease.js';

const BATCH_ROWS = 500;
const POLL_MS = 1_000;
const BACKOFF_MS = 500;
/** Rows that come in numbers are published in numbers: a pause this long after a batch of several. */
const LINGER_MS = 6;
const CHANNEL = 'ragmesh_outbox';

interface Row {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly value: Buffer;
  /** Written by a release that did not sign. */
  readonly unsigned: boolean;
}

const PENDING = `
  SELECT id, topic, key, headers, value, unsigned FROM outbox
  WHERE published_at IS NULL AND error IS NULL AND available_at <= now() ORDER BY id LIMIT ${BATCH_ROWS}`;

const MARK = `
  UPDATE outbox SET published_at = now(), published_partition = t.partition, published_offset = t.position
  FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS t(id, partition, position)
  WHERE outbox.id = t.id AND EXISTS (SELECT FROM outbox_lease WHERE token = $4)`;

export interface RelayOptions {
  readonly service: ServiceName;
  readonly database: Database;
  readonly driver: BusDriver;
  readonly outbox: Outbox;
  readonly notifications: Notifications;
  readonly logger: Logger;
}

/**
 * The read half of the outbox. It looks at what is unpublished, never at "ids greater than the last one", because commit
 * order is not id order. A crash between publishing and marking publishes again; inboxes absorb that.
 */
export class OutboxRelay {
  readonly #lease: RelayLease;
  readonly #housekeeping: OutboxHousekeeping;
  #wake: (() => void) | undefined;
  #woken = false;
  #stopped = false;
  #loop: Promise<void> | undefined;
  #unsubscribe: (() => void)[] = [];

  constructor(private readonly options: RelayOptions) {
    const { database, service } = options;
    this.#lease = new RelayLease(database, `${service}-${process.pid}-${randomUUID()}`);
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
    this.#stopped = true;
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
    while (!this.#stopped) {
      this.#woken = false;
      try {
        const published = await this.#publishBatch();
        if (published > 1 && published < BATCH_ROWS) await delay(LINGER_MS);
        else if (published < BATCH_ROWS && !this.#stopped) await this.#sleep(POLL_MS);
      } catch (error) {
        this.#report(error);
        await this.#sleep(BACKOFF_MS);
      }
    }
  }

  /** @returns how many rows there were to publish. */
  async #publishBatch(): Promise<number> {
    const { database, driver } = this.options;
    const token = await this.#lease.token();
    if (token === undefined) return 0;
    const { rows } = await database.query<Row>(PENDING);
    if (rows.length === 0) return 0;
    const outcomes = await driver.publish(rows.map((row) => this.#record(row)));
    await this.#mark(rows, outcomes, token);
    const failure = outcomes.find((outcome) => 'error' in outcome && !isPermanent(outcome.error));
    if (failure && 'error' in failure) throw failure.error;
    return rows.length;
  }

  #record({ topic, key, headers: written, value, unsigned }: Row): OutgoingRecord {
    const headers = unsigned ? withSignature(written) : written;
    return { topic, key, headers, value, partition: partitionForKey(key, this.options.driver.partitionsOf(topic)) };
  }

  async #mark(rows: readonly Row[], outcomes: readonly PublishOutcome[], token: string): Promise<void> {
    const { database } = this.options;
    const written = rows.flatMap(({ id }, index) => {
      const outcome = outcomes[index];
      return outcome && 'offset' in outcome ? [{ id, ...outcome }] : [];
    });
    if (written.length > 0) {
      const columns = [
        written.map(({ id }) => id),
        written.map(({ partition }) => partition),
        written.map(({ offset }) => offset),
      ];
      await database.query(MARK, [...columns, token]);
    }
    for (const [index, outcome] of outcomes.entries()) {
      if (!('error' in outcome) || !isPermanent(outcome.error)) continue;
      const { code } = asRagmeshError(outcome.error);
      this.options.logger.error({ code, topic: rows[index]!.topic }, 'An event cannot be published and was set aside');
      await database.query('UPDATE outbox SET error = $2 WHERE id = $1', [rows[index]!.id, code]);
    }
  }

  #signal(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    const until = Math.min(ms, await this.#msToNextDue());
    if (this.#woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, until);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Retries wait in the outbox; the next one due ends the sleep. */
  async #msToNextDue(): Promise<number> {
    const { rows } = await this.options.database
      .query<{ ms: number | null }>(
        `SELECT extract(epoch FROM min(available_at) - now())::float8 * 1000 AS ms
         FROM outbox WHERE published_at IS NULL AND error IS NULL`,
      )
      .catch(() => ({ rows: [] }));
    return Math.max(1, rows[0]?.ms ?? POLL_MS);
  }

  #report(error: unknown): void {
    this.options.logger.warn({ code: asRagmeshError(error).code, err: error }, 'The outbox relay will try again');
  }
}

const isPermanent = (error: Error): boolean => isRagmeshError(error) && error.retry === 'permanent';
