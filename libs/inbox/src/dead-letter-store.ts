import { readRetryState, type Failure } from '@ragmesh/messaging';
import type { Database, SqlTransaction } from '@ragmesh/postgres';

/** A dead letter as an operator sees it: never the payload. */
export interface DeadLetterSummary {
  readonly id: string;
  readonly handler_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly subject: string;
  readonly origin_topic: string;
  readonly origin_partition: number;
  readonly origin_offset: string;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
}

const INSERT = `
  INSERT INTO dead_letter (id, tenant, handler_id, event_id, event_type, subject, origin_topic, origin_partition,
    origin_offset, key, headers, value, code, message, attempts, first_failed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, coalesce($16::timestamptz, now()))
  ON CONFLICT (id) DO NOTHING RETURNING id`;

/** Keeps a failed event: one letter per original record and handler. @returns false when it was kept before. */
export async function insertDeadLetter(
  tx: SqlTransaction,
  { record, handlerId, attempt, error }: Failure,
): Promise<boolean> {
  const { headers, key, value } = record;
  const state = readRetryState(record);
  const [topic, partition, offset] = state.origin.split('/');
  const { rows } = await tx.query(INSERT, [
    `${state.origin}/${handlerId}`,
    headers['ce_tenant'] ?? 'default',
    handlerId,
    headers['ce_id'] ?? '',
    headers['ce_type'] ?? '',
    headers['ce_subject'] ?? key,
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
  ]);
  return rows.length > 0;
}

/** Reads the dead letters of one service. */
export class DeadLetterStore {
  constructor(private readonly database: Database) {}

  /** Newest first. @param before id of the last letter of the previous page. */
  async list(tenant: string, limit: number, before?: string): Promise<DeadLetterSummary[]> {
    const { rows } = await this.database.query<DeadLetterSummary>(
      `SELECT id, handler_id, event_id, event_type, subject, origin_topic, origin_partition, origin_offset, code, message,
         attempts, first_failed_at, last_failed_at FROM dead_letter
       WHERE tenant = $1 AND ($3::text IS NULL OR
         (last_failed_at, id) < (SELECT last_failed_at, id FROM dead_letter WHERE tenant = $1 AND id = $3))
       ORDER BY last_failed_at DESC, id DESC LIMIT $2`,
      [tenant, limit, before ?? null],
    );
    return rows;
  }
}
