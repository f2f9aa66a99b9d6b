import { readRetryState, type Failure } from '@ragmesh/messaging';
import type { Database, SqlTransaction } from '@ragmesh/postgres';
import { storableName, storableTenant } from './storable-failure.js';
import { MATCHES, STATUS, SUMMARY, filterValues, readCursor } from './dead-letter-sql.js';
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterGroup,
  DeadLetterReplay,
  DeadLetterSelection,
  DeadLetterSummary,
} from './dead-letter.js';

/**
 * A letter is one per original record, event and handler. Where its replay failed, it is parked again. A letter that follows from a
 * replay (the work was taken up again with new events, and the same handler failed on it) goes on counting. A letter under the former
 * id is this one's where there is none under its own; beside one, it is a twin that a copy of the former release made meanwhile.
 */
const INSERT = `
  INSERT INTO dead_letter (id, tenant, handler_id, event_id, event_type, subject, origin_topic, origin_partition,
    origin_offset, key, headers, value, code, message, attempts, first_failed_at, replays)
  SELECT coalesce((SELECT id FROM dead_letter WHERE id = $1),
    (SELECT id FROM dead_letter WHERE id = $17 AND event_id = $4), $1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, coalesce($16::timestamptz, now()), coalesce((
    SELECT max(replays) FROM dead_letter WHERE tenant = $2 AND handler_id = $3 AND subject = $6 AND status = 'replayed'
      AND headers ->> 'ce_correlation' = $11::jsonb ->> 'ce_correlation'), 0)
  ON CONFLICT (id) DO UPDATE SET status = 'parked', code = excluded.code, message = excluded.message,
    attempts = excluded.attempts, last_failed_at = now()
  WHERE dead_letter.status = 'replaying'
  RETURNING id, replays`;

const FAIL_REPLAY = `
  UPDATE dead_letter_replay SET result = 'failed', code = $2, finished_at = now()
  WHERE letter_id = $1 AND result IS NULL`;

/** Ids go into URLs: what is no such name is left out. */
const EVENT_IN_ID = /^[\w.-]{1,64}$/;

/**
 * Ids of the letter of an event and handler: its own, and the one that releases gave it which did not name the event. A place on the
 * bus alone is another event's once a bus began anew under databases that were restored, or a topic was made anew. The last
 * part is the handler's, which says whose letter it is.
 */
function idsOf(origin: string, eventId: string, handlerId: string): [own: string, former: string] {
  const place = origin.replaceAll('/', ':');
  const former = `${place}:${handlerId}`;
  return [EVENT_IN_ID.test(eventId) ? `${place}:${eventId}:${handlerId}` : former, former];
}

/** Keeps a failed event, as `storableFailure` gives it. @returns false when it was kept before and is not being replayed. */
export async function insertDeadLetter(
  tx: SqlTransaction,
  { record, handlerId, attempt, error }: Failure,
): Promise<boolean> {
  const { headers, key, value } = record;
  const state = readRetryState(record);
  const [topic, partition, offset] = state.origin.split('/');
  const eventId = storableName(headers['ce_id'] ?? '');
  const [id, formerId] = idsOf(state.origin, eventId, handlerId);
  const { rows } = await tx.query<{ id: string; replays: number }>(INSERT, [
    id,
    storableTenant(headers['ce_tenant']),
    handlerId,
    eventId,
    storableName(headers['ce_type'] ?? ''),
    storableName(headers['ce_subject'] ?? key),
    topic,
    Number(partition),
    Number(offset),
    key,
    JSON.stringify(headers),
    Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    error.code,
    error.message,
    attempt,
    state.firstFailedAt ?? null,
    formerId,
  ]);
  const letter = rows[0];
  if (letter && letter.replays > 0) await tx.query(FAIL_REPLAY, [letter.id, error.code]);
  return letter !== undefined;
}

/** Reads the dead letters of one service. */
export class DeadLetterStore {
  constructor(private readonly database: Database) {}

  /**
   * Newest first.
   * @param tenant null for those of all tenants.
   * @param cursor of the last letter of the page before; empty for the first page.
   * @throws RagmeshError REQUEST.INVALID for a cursor no list gave.
   */
  async list(
    tenant: string | null,
    filter: DeadLetterFilter,
    limit: number,
    cursor = '',
  ): Promise<DeadLetterSummary[]> {
    const { rows } = await this.database.query<DeadLetterSummary>(
      `SELECT ${SUMMARY} FROM dead_letter WHERE ${MATCHES} AND ($8::float8 IS NULL OR
         (last_failed_at, id COLLATE "C") < ('epoch'::timestamptz + $8 * interval '1 microsecond', $9))
       ORDER BY last_failed_at DESC, id COLLATE "C" DESC LIMIT $10`,
      [...filterValues(tenant, filter), ...readCursor(cursor), limit],
    );
    return rows;
  }

  /** How many there are of each tenant and cause, most first. @param tenant null for those of all tenants. */
  async groups(tenant: string | null, filter: DeadLetterFilter): Promise<DeadLetterGroup[]> {
    const { rows } = await this.database.query<DeadLetterGroup>(
      `SELECT tenant, code, origin_topic AS topic, handler_id AS handler, count(*)::int AS count,
         min(first_failed_at) AS oldest, max(last_failed_at) AS newest
       FROM dead_letter WHERE ${MATCHES} GROUP BY 1, 2, 3, 4 ORDER BY count DESC, 1, 2, 3, 4 LIMIT 1000`,
      filterValues(tenant, filter),
    );
    return rows;
  }

  /** The letter with everything that is known of it; undefined when there is none of this id. */
  async find(
    tenant: string,
    id: string,
    sql: Pick<SqlTransaction, 'query'> = this.database,
  ): Promise<DeadLetter | undefined> {
    const { rows } = await sql.query<DeadLetter>(
      `SELECT ${SUMMARY}, key, headers, value, note FROM dead_letter WHERE tenant = $1 AND id = $2`,
      [tenant, id],
    );
    return rows[0];
  }

  /** First replay first. */
  async replaysOf(tenant: string, id: string): Promise<DeadLetterReplay[]> {
    const { rows } = await this.database.query<DeadLetterReplay>(
      `SELECT number, requested_at, requested_by, result, code, finished_at FROM dead_letter_replay
       WHERE tenant = $1 AND letter_id = $2 ORDER BY number`,
      [tenant, id],
    );
    return rows;
  }

  /** Ids of a selection, and how many letters it matches; letters already settled or on their way are passed over. */
  async select(
    tenant: string,
    { ids, filter, limit }: DeadLetterSelection,
  ): Promise<{ ids: string[]; matched: number }> {
    if (ids.length > 0) return { ids: [...new Set(ids)].slice(0, limit), matched: new Set(ids).size };
    const { rows } = await this.database.query<{ id: string; matched: number }>(
      `SELECT id, count(*) OVER ()::int AS matched FROM dead_letter
       WHERE ${MATCHES} AND ($6::text IS NOT NULL OR ${STATUS} = 'parked') ORDER BY last_failed_at, id LIMIT $8`,
      [...filterValues(tenant, filter), limit],
    );
    return { ids: rows.map(({ id }) => id), matched: rows[0]?.matched ?? 0 };
  }
}
