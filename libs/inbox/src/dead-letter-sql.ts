import { RagmeshError } from '@ragmesh/errors';
import { MAX_REPLAYS, type DeadLetterFilter } from './dead-letter.js';

/** Status as people see it. */
export const STATUS = `CASE WHEN status = 'parked' AND replays >= ${MAX_REPLAYS} THEN 'quarantined' ELSE status END`;

/** Columns of a {@link DeadLetterSummary}. The cursor is time in µs, then id: both sort as text. */
export const SUMMARY = `id, tenant, handler_id, event_id, event_type, subject, origin_topic, origin_partition, origin_offset, code,
  message, attempts, first_failed_at, last_failed_at, ${STATUS} AS status, replays,
  (extract(epoch FROM last_failed_at) * 1000000)::bigint || '.' || id AS cursor`;

/** Condition of a filter over `$1` to `$7`; see {@link filterValues}. Few letters are open, so those of all tenants need no index. */
export const MATCHES = `
  ($1::text IS NULL OR tenant = $1) AND ($2::text IS NULL OR code = $2) AND ($3::text IS NULL OR origin_topic = $3)
  AND ($4::text IS NULL OR handler_id = $4) AND ($5::text IS NULL OR subject = $5)
  AND CASE WHEN $6::text IS NULL THEN settled_at IS NULL ELSE ${STATUS} = $6 END
  AND ($7::timestamptz IS NULL OR last_failed_at >= $7)`;

/** @param tenant null for all tenants. */
export const filterValues = (tenant: string | null, filter: DeadLetterFilter): unknown[] => [
  tenant,
  filter.code || null,
  filter.topic || null,
  filter.handler || null,
  filter.subject || null,
  filter.status || null,
  filter.since ?? null,
];

/** Time in µs and id of a cursor; nulls for the first page. @throws RagmeshError REQUEST.INVALID. */
export function readCursor(cursor: string): [string | null, string | null] {
  if (cursor === '') return [null, null];
  const match = /^(\d{16})\.(.{1,1000})$/s.exec(cursor);
  if (match) return [match[1]!, match[2]!];
  throw new RagmeshError('REQUEST.INVALID', 'Field cursor must be the next_cursor of another page.', {
    field: 'cursor',
  });
}
