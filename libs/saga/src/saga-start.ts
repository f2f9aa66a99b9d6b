import { extractTrace, inContext, traceContext } from '@ragmesh/observability';

/** A saga that is about to begin, with the context it begins in. */
export interface FreshSaga<Data> {
  readonly id: string;
  readonly tenant: string;
  readonly request_id: string;
  readonly subject: string;
  readonly trace: Record<string, string>;
  readonly data: Data;
  /** Lowest first, where several begin at once. */
  readonly seq: number;
}

/**
 * Where sagas come from that begin, as SQL: what begins is decided, stored and noted in one statement, so that the next
 * decision of the same transaction counts it.
 */
export interface SagaSource {
  /** Common table expressions; the last is `fresh`, with the columns of {@link FreshSaga} and whatever else the caller reads. */
  readonly sql: string;
  /** Of `$1`, `$2`, … */
  readonly values: readonly unknown[];
}

/** The saga that begins in the running context. */
export const ONE_SAGA = `
  fresh AS (SELECT $1::text AS id, $2::text AS tenant, $3::text AS request_id, $4::text AS subject, $5::jsonb AS trace,
    $6::jsonb AS data, 0::bigint AS seq)`;

/** Further parameters of {@link startStatement}, behind those of the source: name, status, step, seconds, note. */
export function startStatement({ sql, values }: SagaSource): string {
  const [name, status, step, within, note] = ['text', 'text', 'text', 'float8', 'text'].map(
    (type, at) => `$${values.length + 1 + at}::${type}`,
  );
  return `
  WITH ${sql},
  started AS (
    INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, deadline)
    SELECT ${name}, id, tenant, request_id, trace, ${status}, ${step}, data, now() + ${within} * interval '1 second' FROM fresh
    ON CONFLICT (name, id) DO UPDATE SET status = excluded.status, step = excluded.step, data = excluded.data,
      trace = excluded.trace, request_id = excluded.request_id, error = NULL, undoing = NULL, attempts = 1,
      undo_error = NULL, deadline = excluded.deadline, revision = saga.revision + 1, updated_at = now()
    WHERE saga.deadline IS NULL RETURNING id),
  noted AS (
    INSERT INTO saga_step (saga_name, saga_id, step, status) SELECT ${name}, id, ${step}, ${note} FROM started)
  SELECT fresh.* FROM fresh JOIN started USING (id) ORDER BY fresh.seq`;
}

/** Runs work as part of the request the saga belongs to. */
export const withinSaga = <T>(saga: Omit<FreshSaga<unknown>, 'id' | 'data' | 'seq'>, work: () => T): T => {
  const { tenant, request_id: requestId, subject, trace } = saga;
  return traceContext.with(extractTrace(trace), () => inContext({ tenant, requestId, subject }, work));
};
