import { RagmeshError } from '@ragmesh/errors';
import type { Database } from '@ragmesh/postgres';
import type { SagaError } from './saga-definition.js';

/** Undos without an answer after which compensating is taken to have failed, if nobody said so before. */
const TROUBLING_ATTEMPTS = 3;

/** State as operators see it: `compensation_failed` is the part of `compensating` that gets nowhere. */
export const STATE = `CASE WHEN status = 'compensating' AND (undo_error IS NOT NULL OR attempts >= ${TROUBLING_ATTEMPTS})
  THEN 'compensation_failed' ELSE status END`;

/** Whether an open saga's step, or its undo, did not end within its time; it may have been asked for again since. */
export const OVERDUE = 'coalesce(deadline < now() OR deadline IS NOT NULL AND attempts > 1, false)';

const SUMMARY = `ref, name, id, tenant, request_id, trace, ${STATE} AS state, step, attempts, error, undo_error, deadline,
  ${OVERDUE} AS overdue, created_at, updated_at,
  (extract(epoch FROM created_at) * 1000000)::bigint || '.' || ref AS cursor`;

/** As PostgreSQL prints them, which refuses anything else where a uuid is compared. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A saga as an operator sees it. */
export interface SagaSummary {
  readonly ref: string;
  readonly name: string;
  readonly id: string;
  readonly tenant: string;
  readonly request_id: string;
  readonly trace: Readonly<Record<string, string>>;
  readonly state: string;
  readonly step: string;
  readonly attempts: number;
  readonly error: SagaError | null;
  readonly undo_error: SagaError | null;
  readonly deadline: Date | null;
  readonly overdue: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  /** Place in a list that is sorted by this, descending; comparable between services. */
  readonly cursor: string;
}

/** The saga with what it knows: ids and counts. */
export interface SagaRecord extends SagaSummary {
  readonly data: object;
}

/** One move of a saga. */
export interface SagaMove {
  readonly step: string;
  readonly status: string;
  readonly detail: string;
  readonly at: Date;
}

/** What matches; a field that is left out matches everything. */
export interface SagaFilter {
  readonly kind?: string | undefined;
  /** `compensating` includes `compensation_failed`. */
  readonly state?: string | undefined;
  readonly overdue?: boolean | undefined;
}

/** Reads the sagas of one service. */
export class SagaStore {
  constructor(private readonly database: Database) {}

  /**
   * Newest first.
   * @param tenant null for the sagas of all tenants that have not ended.
   * @param cursor of the last saga of the page before; empty for the first page.
   * @throws RagmeshError REQUEST.INVALID for a cursor no list gave.
   */
  async list(
    tenant: string | null,
    { kind, state, overdue }: SagaFilter,
    limit: number,
    cursor = '',
  ): Promise<SagaSummary[]> {
    // Sagas that ended pile up, and no index has those of all tenants in this order; of open ones there are few.
    const { rows } = await this.database.query<SagaSummary>(
      `SELECT ${SUMMARY} FROM saga WHERE (tenant = $1 OR $1::text IS NULL AND deadline IS NOT NULL)
         AND ($2::text IS NULL OR name = $2)
         AND ($3::text IS NULL OR status = $3 OR ${STATE} = $3) AND (NOT $4::boolean OR ${OVERDUE})
         AND ($5::float8 IS NULL OR (created_at, ref) < ('epoch'::timestamptz + $5 * interval '1 microsecond', $6::uuid))
       ORDER BY created_at DESC, ref DESC LIMIT $7`,
      [tenant, kind || null, state || null, overdue ?? false, ...readCursor(cursor), limit],
    );
    return rows;
  }

  /** @throws RagmeshError SAGA.NOT_FOUND. */
  async get(tenant: string, ref: string): Promise<SagaRecord> {
    const sql = `SELECT ${SUMMARY}, data FROM saga WHERE tenant = $1 AND ref = $2::uuid`;
    const { rows } = UUID.test(ref) ? await this.database.query<SagaRecord>(sql, [tenant, ref]) : { rows: [] };
    if (!rows[0]) throw new RagmeshError('SAGA.NOT_FOUND', `There is no saga "${ref}".`, { id: ref });
    return rows[0];
  }

  /** The latest thousand moves, first move first. */
  async timeline({ name, id }: Pick<SagaRecord, 'name' | 'id'>): Promise<SagaMove[]> {
    const { rows } = await this.database.query<SagaMove>(
      `SELECT step, status, detail, at FROM (
         SELECT * FROM saga_step WHERE saga_name = $1 AND saga_id = $2 ORDER BY seq DESC LIMIT 1000) AS latest ORDER BY seq`,
      [name, id],
    );
    return rows;
  }
}

function readCursor(cursor: string): [string | null, string | null] {
  if (cursor === '') return [null, null];
  const [, microseconds, ref = ''] = /^(\d{16})\.(.+)$/.exec(cursor) ?? [];
  if (microseconds && UUID.test(ref)) return [microseconds, ref];
  throw new RagmeshError('REQUEST.INVALID', 'Field cursor must be the next_cursor of another page.', {
    field: 'cursor',
  });
}
