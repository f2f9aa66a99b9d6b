import type { PublishOutcome } from '@ragmesh/messaging';
import type { Database, SqlTransaction } from '@ragmesh/postgres';

/** Rows that are published at a time. */
const BATCH_ROWS = 500;
/** Bytes that are read of them at a time, or a single row. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Rows that are looked at for others to publish, while some are held back. */
const SCAN_ROWS = 5_000;

export type RowId = string | number;

/** A row without its bytes: enough to know where it goes. */
export interface RowPlace {
  readonly id: RowId;
  readonly topic: string;
  readonly key: string;
}

export interface OutboxRow extends RowPlace {
  readonly headers: Record<string, string>;
  readonly value: Buffer;
  /** Written by a release that did not sign. */
  readonly unsigned: boolean;
}

type Written = Extract<PublishOutcome, { offset: number }> & { readonly id: RowId };

const PENDING = 'published_at IS NULL AND error IS NULL';

const COLUMNS = 'id, topic, key, headers, value, unsigned';

/** As many of the rows, from the first on, as fit; `found` counts them all. The length of a value is known without reading it. */
const fitting = (rows: string): string => `
  SELECT ${COLUMNS}, found FROM (
    SELECT *, (count(*) OVER ())::int AS found, sum(octet_length(value)) OVER (ORDER BY id) - octet_length(value) AS before
    FROM (${rows}) AS rows) AS sized
  WHERE before < ${BATCH_BYTES} ORDER BY id`;

const OLDEST = fitting(`
  SELECT ${COLUMNS} FROM outbox WHERE ${PENDING} AND available_at <= now() ORDER BY id LIMIT ${BATCH_ROWS}`);

const PLACES = `
  SELECT id, topic, key FROM outbox
  WHERE ${PENDING} AND available_at <= now() AND id > $1 ORDER BY id LIMIT ${SCAN_ROWS}`;

const OF_IDS = fitting(`SELECT ${COLUMNS} FROM outbox WHERE id = ANY($1::bigint[]) AND ${PENDING}`);

const MARK = `
  UPDATE outbox SET published_at = now(), published_partition = t.partition, published_offset = t.position
  FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS t(id, partition, position)
  WHERE outbox.id = t.id AND EXISTS (SELECT FROM outbox_lease WHERE token = $4)`;

const NEXT_DUE = `
  SELECT extract(epoch FROM min(available_at) - now())::float8 * 1000 AS ms FROM outbox WHERE ${PENDING}`;

/** What waits in an outbox, as its relay reads and marks it. */
export class OutboxRows {
  constructor(private readonly database: Database) {}

  /** The oldest that are due, a batch of them, and whether these are all. */
  async oldest(): Promise<{ rows: OutboxRow[]; isEnd: boolean }> {
    const { rows, isCut } = await this.#read(OLDEST);
    return { rows, isEnd: !isCut && rows.length < BATCH_ROWS };
  }

  /**
   * The oldest after a row that are due and not held back, a batch of them. Bytes are read only of those.
   * @returns with `after`, the row from which the next call goes on, and whether nothing is left beyond it.
   */
  async oldestAfter(
    after: RowId,
    isHeldBack: (place: RowPlace) => boolean,
  ): Promise<{ rows: OutboxRow[]; after: RowId; isEnd: boolean }> {
    const { rows: places } = await this.database.query<RowPlace>(PLACES, [after]);
    const open = places.filter((place) => !isHeldBack(place));
    const next = open.slice(0, BATCH_ROWS);
    const ids = next.map(({ id }) => id);
    const { rows, isCut } = ids.length === 0 ? { rows: [], isCut: false } : await this.#read(OF_IDS, [ids]);
    if (isCut) return { rows, after: rows.at(-1)!.id, isEnd: false };
    const areAll = next.length === open.length;
    const last = areAll ? places.at(-1) : next.at(-1);
    return { rows, after: last?.id ?? after, isEnd: areAll && places.length < SCAN_ROWS };
  }

  async #read(sql: string, values?: readonly unknown[]): Promise<{ rows: OutboxRow[]; isCut: boolean }> {
    const { rows } = await this.database.query<OutboxRow & { found: number }>(sql, values);
    return { rows, isCut: rows.length < (rows[0]?.found ?? 0) };
  }

  /** @returns how many were marked; none when another relay has the lease. */
  async mark(written: readonly Written[], token: number): Promise<number> {
    const columns = [
      written.map(({ id }) => id),
      written.map(({ partition }) => partition),
      written.map(({ offset }) => offset),
    ];
    return (await this.database.query(MARK, [...columns, token])).rowCount;
  }

  /** Does not publish this one until somebody clears its error. @param code why. */
  setAside(tx: SqlTransaction, id: RowId, code: string): void {
    tx.write('UPDATE outbox SET error = $2 WHERE id = $1', [id, code]);
  }

  /** Milliseconds until a row is due, 0 when one is; undefined when none waits. */
  async msToNextDue(): Promise<number | undefined> {
    const { rows } = await this.database.query<{ ms: number | null }>(NEXT_DUE);
    const ms = rows[0]?.ms ?? undefined;
    return ms === undefined ? undefined : Math.max(0, ms);
  }
}
