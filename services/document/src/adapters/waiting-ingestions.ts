import { Injectable } from '@nestjs/common';
import { currentContext, injectTrace } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import type { FreshSaga, SagaSource } from '@ragmesh/saga';
import { ingestionSaga, type Ingestion } from '../sagas/ingestion.saga.js';

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

/** An ingestion that begins, in the context of its upload. */
export interface FreshIngestion extends FreshSaga<Ingestion> {
  readonly is_update: boolean;
  readonly chunking: Arrival['chunking'];
}

/** Whether that many of the tenant's are on their way is counted no further than needed. */
const RUNNING = `
  SELECT count(*) FROM (
    SELECT FROM saga WHERE name = '${ingestionSaga.name}' AND status = 'running' AND tenant = $1 LIMIT $2) AS running`;

const AT_WORK = `SELECT DISTINCT tenant FROM saga WHERE name = '${ingestionSaga.name}' AND status = 'running'`;

/** The list a version is shown with: none for a document that never had one, whose only revision is the first. */
const FRESH = `
  fresh AS (
    SELECT t.tenant || '/' || t.document_id || '@' || t.version AS id, t.tenant, t.request_id, t.subject, t.trace, t.seq,
      t.is_update, t.chunking, jsonb_build_object('tenant', t.tenant, 'documentId', t.document_id, 'version', t.version,
        'collection', t.collection, 'chunks', 0, 'batches', 0, 'indexed', '[]'::jsonb,
        'acceptedAt', to_char(t.accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
      || CASE WHEN d.access IS NOT NULL OR d.access_revision > 1
        THEN jsonb_build_object('access', jsonb_build_object('principals', d.access, 'revision', d.access_revision))
        ELSE '{}' END AS data
    FROM taken t LEFT JOIN document d ON d.tenant = t.tenant AND d.id = t.document_id)`;

const COLUMNS =
  'tenant, document_id, version, collection, is_update, chunking, request_id, subject, trace, accepted_at';

const ARRIVING = `
  arrival AS (
    SELECT $1::text AS tenant, $3::text AS document_id, $4::bigint AS version, $5::text AS collection,
      $6::boolean AS is_update, $7::jsonb AS chunking, $8::text AS request_id, $9::text AS subject, $10::jsonb AS trace,
      $11::timestamptz AS accepted_at, 0::bigint AS seq,
      EXISTS (SELECT FROM waiting_ingestion WHERE tenant = $1) OR (${RUNNING}) >= $2 AS waits),
  queued AS (INSERT INTO waiting_ingestion (${COLUMNS}) SELECT ${COLUMNS} FROM arrival WHERE waits),
  taken AS (SELECT * FROM arrival WHERE NOT waits),${FRESH}`;

/** What is next is chosen as an array, once: a plan may look at a subquery again for each row, and each time find the next ones. */
const NEXT = `
  taken AS (
    DELETE FROM waiting_ingestion WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM waiting_ingestion WHERE tenant = $1 ORDER BY seq
      LIMIT (SELECT $2 - (${RUNNING})) FOR UPDATE SKIP LOCKED)) RETURNING *),${FRESH}`;

const ONE = `
  taken AS (DELETE FROM waiting_ingestion WHERE tenant = $1 AND document_id = $2 AND version = $3 RETURNING *),${FRESH}`;

/**
 * Ingestions that have not begun. What may begin is taken out, counted and begun in one statement: a transaction that decides
 * several times counts what it began before.
 */
@Injectable()
export class WaitingIngestions {
  constructor(private readonly database: Database) {}

  /**
   * One that begins when its tenant has fewer than `most` on their way and none that came before; else it waits, with the
   * context of the running work. Uploads at the same instant do not see each other and may exceed it by their number; taking
   * a lock to be exact would make a tenant's uploads queue up.
   */
  arriving(arrival: Arrival, most: number): SagaSource {
    const { requestId, subject } = currentContext()!;
    const { tenant, documentId, version, collection, isUpdate, chunking, acceptedAt } = arrival;
    const upload = [documentId, version, collection, isUpdate, chunking];
    return { sql: ARRIVING, values: [tenant, most, ...upload, requestId, subject, injectTrace(), acceptedAt] };
  }

  /** The oldest that wait, as many as may begin. */
  next(tenant: string, most: number): SagaSource {
    return { sql: NEXT, values: [tenant, most] };
  }

  /** This one, if it waits. */
  one(tenant: string, documentId: string, version: number | bigint): SagaSource {
    return { sql: ONE, values: [tenant, documentId, version] };
  }

  /** Who has ingestions on their way, whichever copy began them. */
  async tenantsAtWork(): Promise<string[]> {
    const { rows } = await this.database.query<{ tenant: string }>(AT_WORK);
    return rows.map(({ tenant }) => tenant);
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
