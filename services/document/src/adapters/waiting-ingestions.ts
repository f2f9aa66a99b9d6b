import { Injectable } from '@nestjs/common';
import { currentContext, extractTrace, inContext, injectTrace, traceContext } from '@ragmesh/observability';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { ingestionSaga } from '../sagas/ingestion.saga.js';

/** A version that was accepted, and what its ingestion begins with. */
export interface Arrival {
  readonly tenant: string;
  readonly documentId: string;
  readonly version: number;
  readonly collection: string;
  readonly isUpdate: boolean;
  readonly chunking: { readonly size: number; readonly overlap: number } | null;
  readonly acceptedAt: string;
}

interface WaitingRow {
  readonly tenant: string;
  readonly document_id: string;
  readonly version: number;
  readonly seq: number;
  readonly collection: string;
  readonly is_update: boolean;
  readonly chunking: Arrival['chunking'];
  readonly request_id: string;
  readonly subject: string;
  readonly trace: Record<string, string>;
  readonly accepted_at: Date;
}

/** An arrival that waited, with the context of its upload. */
export interface WaitedFor {
  readonly arrival: Arrival;
  /** Runs work as the upload itself would: same request, same trace. */
  within<T>(work: () => T): T;
}

const RUNNING = `SELECT FROM saga WHERE name = '${ingestionSaga.name}' AND status = 'running' AND tenant = $1 LIMIT $2`;

const MAY_BEGIN = `
  SELECT NOT EXISTS (SELECT FROM waiting_ingestion WHERE tenant = $1)
    AND (SELECT count(*) FROM (${RUNNING}) AS running) < $2 AS free`;

const TAKE_NEXT = `
  DELETE FROM waiting_ingestion w USING (
    SELECT tenant, document_id, version FROM waiting_ingestion WHERE tenant = $1 ORDER BY seq
    LIMIT (SELECT $2 - count(*) FROM (${RUNNING}) AS running) FOR UPDATE SKIP LOCKED) AS next
  WHERE w.tenant = next.tenant AND w.document_id = next.document_id AND w.version = next.version RETURNING w.*`;

/** Ingestions that have not begun. Every statement but {@link tenants} is part of the transaction that decides. */
@Injectable()
export class WaitingIngestions {
  constructor(private readonly database: Database) {}

  /**
   * Whether the tenant has fewer than `most` on their way and none that came before. Uploads at the same instant do not
   * see each other and may exceed it by their number; taking a lock to be exact would make a tenant's uploads queue up.
   */
  async mayBegin(tx: SqlTransaction, tenant: string, most: number): Promise<boolean> {
    const { rows } = await tx.query<{ free: boolean }>(MAY_BEGIN, [tenant, most]);
    return rows[0]!.free;
  }

  /** Lets it wait, with the context of the running work. */
  add(tx: SqlTransaction, arrival: Arrival): void {
    const { requestId, subject } = currentContext()!;
    const { tenant, documentId, version, collection, isUpdate, chunking, acceptedAt } = arrival;
    tx.write(
      `INSERT INTO waiting_ingestion
         (tenant, document_id, version, collection, is_update, chunking, request_id, subject, trace, accepted_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [tenant, documentId, version, collection, isUpdate, chunking, requestId, subject, injectTrace(), acceptedAt],
    );
  }

  /** Takes out the oldest, as many as may begin. */
  async takeNext(tx: SqlTransaction, tenant: string, most: number): Promise<WaitedFor[]> {
    const { rows } = await tx.query<WaitingRow>(TAKE_NEXT, [tenant, most]);
    return rows.toSorted((a, b) => a.seq - b.seq).map(waitedFor);
  }

  /** Takes out this one. Undefined when it does not wait. */
  async take(tx: SqlTransaction, tenant: string, id: string, version: number | bigint): Promise<WaitedFor | undefined> {
    const { rows } = await tx.query<WaitingRow>(
      'DELETE FROM waiting_ingestion WHERE tenant = $1 AND document_id = $2 AND version = $3 RETURNING *',
      [tenant, id, version],
    );
    return rows[0] && waitedFor(rows[0]);
  }

  /** Who has some, how many, and how long the oldest waits, in seconds. */
  async tenants(): Promise<{ readonly tenant: string; readonly count: number; readonly seconds: number }[]> {
    const { rows } = await this.database.query<{ tenant: string; count: number; seconds: number }>(
      `SELECT tenant, count(*)::int AS count, extract(epoch FROM now() - min(accepted_at))::float8 AS seconds
       FROM waiting_ingestion GROUP BY tenant`,
    );
    return rows;
  }
}

function waitedFor(row: WaitingRow): WaitedFor {
  const { tenant, version, collection, chunking, request_id: requestId, subject, trace } = row;
  const acceptedAt = row.accepted_at.toISOString();
  return {
    arrival: {
      tenant,
      documentId: row.document_id,
      version,
      collection,
      isUpdate: row.is_update,
      chunking,
      acceptedAt,
    },
    within: (work) => traceContext.with(extractTrace(trace), () => inContext({ tenant, requestId, subject }, work)),
  };
}
