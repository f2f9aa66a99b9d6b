import type { PublishOutcome } from '@ragmesh/messaging';
import type { Database, SqlTransaction } from '@ragmesh/postgres';

/** Rows that are published at a time. */
export const BATCH_ROWS = 500;
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

const OLDEST = `
  SELECT id, topic, key, headers, value, unsigned FROM outbox
  WHERE ${PENDING} AND available_at <= now() ORDER BY id LIMIT ${BATCH_ROWS}`;

const PLACES = `
  SELECT id, topic, key FROM outbox
  WHERE ${PENDING} AND available_at <= now() AND id > $1 ORDER BY id LIMIT ${SCAN_ROWS}`;

const OF_IDS = `
  SELECT id, topic, key, headers, value, unsigned FROM outbox
  WHERE id = ANY($1::bigint[]) AND ${PENDING} ORDER BY id`;

const MARK = `
  UPDATE outbox SET published_at = now(), published_partition = t.partition, published_offset = t.position
  FROM unnest($1::bigint[], $2::int[], $3::bigint[]) AS t(id, partition, position)
  WHERE outbox.id = t.id AND EXISTS (SELECT FROM outbox_lease WHERE token = $4)`;

const NEXT_DUE = `
  SELECT extract(epoch FROM min(available_at) - now())::float8 * 1000 AS ms FROM outbox WHERE ${PENDING}`;

/** What waits in an outbox, as its relay reads and marks it. */
export class OutboxRows {
  constructor(private readonly database: Database) {}

  /** The oldest that are due, at most {@link BATCH_ROWS}. */
  async oldest(): Promise<OutboxRow[]> {
    return (await this.database.query<OutboxRow>(OLDEST)).rows;
  }

  /**
   * The oldest after a row that are due and not held back, at most {@link BATCH_ROWS}. Bytes are read only of those.
   * @returns with `after`, the row from which the next call goes on, and whether nothing is left beyond it.
   */
  async oldestAfter(
    after: RowId,
    isHeldBack: (place: RowPlace) => boolean,
  ): Promise<{ rows: OutboxRow[]; after: RowId; isEnd: boolean }> {
    const { rows: places } = await this.database.query<RowPlace>(PLACES, [after]);
    const open = places.filter((place) => !isHeldBack(place));
    const next = open.slice(0, BATCH_ROWS);
    const isCut = next.length < open.length;
    const last = isCut ? next.at(-1) : places.at(-1);
    const ids = next.map(({ id }) => id);
    const rows = ids.length === 0 ? [] : (await this.database.query<OutboxRow>(OF_IDS, [ids])).rows;
    return { rows, after: last?.id ?? after, isEnd: !isCut && places.length < SCAN_ROWS };
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
