import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { currentPrincipals, mayRead, readsEverything } from '@ragmesh/observability';
import {
  Database,
  type ListPosition,
  type SqlRunner,
  type SqlTransaction,
  boundedPage,
  microsOf,
} from '@ragmesh/postgres';
import { deletionId, deletionSaga, type Deletion } from '../sagas/deletion.saga.js';
import type { DocumentRow, ListedRow, ShownDocument, UploadedRow, VersionRow } from './document.rows.js';

const COLUMNS = `d.id, d.collection, d.status, d.stage, d.progress, d.attempt, d.version, d.live_version, d.dedup_key, d.error,
  d.receipt, d.access, d.access_revision, d.created_at, d.updated_at, v.media_type, v.size_bytes, v.sha256, v.chunks,
  c.access AS collection_access`;

/** What readers see is called as it was when a newer version was accepted; where none was, as the document's row says. */
const SHOWN = 'coalesce(l.title, d.title) AS title, coalesce(l.metadata, d.metadata) AS metadata';

const FROM = `
  FROM document d LEFT JOIN document_version v ON v.tenant = d.tenant AND v.document_id = d.id AND v.version = d.version
  LEFT JOIN document_version l ON l.tenant = d.tenant AND l.document_id = d.id AND l.version = d.live_version
  LEFT JOIN collection_access c ON c.tenant = d.tenant AND c.collection = d.collection`;

const SELECT = `SELECT ${COLUMNS}, ${SHOWN} ${FROM}`;

const SELECT_UPLOADED = `
  SELECT ${COLUMNS}, d.title, d.metadata, v.kind, v.file_name, v.blob_key, v.text_blob_key, v.chunk_size, v.chunk_overlap ${FROM}
  WHERE d.tenant = $1 AND d.id = $2 AND v.version IS NOT NULL`;

/** One statement sees one moment: what an update or a reindex replaces is never put together with what replaced it. */
const SELECT_SHOWN = `
  SELECT ${COLUMNS}, ${SHOWN}, to_jsonb(s) AS shown, coalesce((SELECT generation FROM index_generation g
      WHERE g.tenant = d.tenant AND g.collection = d.collection AND g.state = 'live'), 0)::int AS generation ${FROM}
  LEFT JOIN document_version s ON s.tenant = d.tenant AND s.document_id = d.id
    AND s.version = coalesce(d.live_version, d.version)
  WHERE d.tenant = $1 AND d.id = $2`;

/** Whether both lists admit one of the principals at `place`; null stands for all of them. */
const isReadable = (place: string): string => `(${place}::text[] IS NULL
  OR ((d.access IS NULL OR d.access && ${place}) AND (c.access IS NULL OR c.access && ${place})))`;

export interface ListFilter {
  readonly collection?: string;
  readonly status?: string;
  readonly limit: number;
  /** Place of the last document of the previous page. */
  readonly after?: ListPosition | undefined;
}

/** Reads and locks documents of one tenant at a time. A tombstone counts as missing, and so does what the caller may not read. */
@Injectable()
export class DocumentRepository {
  constructor(private readonly database: Database) {}

  /** @throws RagmeshError DOCUMENT.NOT_FOUND. */
  async get(tenant: string, id: string): Promise<DocumentRow> {
    const row = await this.findReadable(tenant, id);
    if (!row || row.status === 'deleted') throw notFound(id);
    return row;
  }

  /** A document with what readers see of it at this moment. @throws RagmeshError DOCUMENT.NOT_FOUND. */
  async getShown(tenant: string, id: string): Promise<ShownDocument> {
    const row = (await this.database.query<ShownDocument>(SELECT_SHOWN, [tenant, id])).rows[0];
    if (!row || row.status === 'deleted' || !isReadableByCaller(row)) throw notFound(id);
    return row;
  }

  /** The row, also when it is a tombstone, if the caller may read the document. */
  async findReadable(tenant: string, id: string): Promise<DocumentRow | undefined> {
    const row = await this.find(tenant, id);
    return row && isReadableByCaller(row) ? row : undefined;
  }

  /** The row, also when it is a tombstone. */
  async find(tenant: string, id: string, sql: SqlRunner = this.database): Promise<DocumentRow | undefined> {
    const { rows } = await sql.query<DocumentRow>(`${SELECT} WHERE d.tenant = $1 AND d.id = $2`, [tenant, id]);
    return rows[0];
  }

  /** What became of a deletion of a version, while that is kept; undefined when there was none. */
  async findDeletion(tenant: string, id: string, version: number): Promise<Deletion | undefined> {
    const sql = 'SELECT data FROM saga WHERE name = $1 AND id = $2';
    const { rows } = await this.database.query<{ data: Deletion }>(sql, [
      deletionSaga.name,
      deletionId(tenant, id, version),
    ]);
    return rows[0]?.data;
  }

  /** A document with all there is to know of its newest upload; undefined for a tombstone. */
  async findUploaded(tenant: string, id: string): Promise<UploadedRow | undefined> {
    return (await this.database.query<UploadedRow>(SELECT_UPLOADED, [tenant, id])).rows[0];
  }

  /** The row, also when it is a tombstone, locked until the transaction ends. */
  async findLocked(tx: SqlTransaction, tenant: string, id: string): Promise<DocumentRow | undefined> {
    tx.write('SELECT FROM document WHERE tenant = $1 AND id = $2 FOR UPDATE', [tenant, id]);
    return this.find(tenant, id, tx);
  }

  /** The row, which stays until the transaction ends; it may change meanwhile, so nobody who changes it waits. */
  async findKept(tx: SqlTransaction, tenant: string, id: string): Promise<DocumentRow | undefined> {
    tx.write('SELECT FROM document WHERE tenant = $1 AND id = $2 FOR KEY SHARE', [tenant, id]);
    return this.find(tenant, id, tx);
  }

  /** As {@link findLocked}, for a document that is there. @throws RagmeshError DOCUMENT.NOT_FOUND. */
  async lock(tx: SqlTransaction, tenant: string, id: string): Promise<DocumentRow> {
    const row = await this.findLocked(tx, tenant, id);
    if (!row || row.status === 'deleted' || !isReadableByCaller(row)) throw notFound(id);
    return row;
  }

  /** Newest first; fewer than `limit` where they would not fit into a message. */
  async list(tenant: string, { collection, status, limit, after }: ListFilter): Promise<ListedRow[]> {
    const principals = currentPrincipals();
    const { rows } = await this.database.query<ListedRow>(
      boundedPage(`SELECT ${COLUMNS}, ${SHOWN}, ${microsOf('d.created_at')} AS created_micros ${FROM}
       WHERE d.tenant = $1 AND d.status <> 'deleted'
         AND ($2::text IS NULL OR d.collection = $2) AND ($3::text IS NULL OR d.status = $3)
         AND ${isReadable('$7')}
         AND ($5::bigint IS NULL
           OR (d.created_at, d.id) < (timestamptz 'epoch' + $5::bigint * interval '1 microsecond', $6::text))
       ORDER BY d.created_at DESC, d.id DESC LIMIT $4`),
      [
        ...[tenant, collection ?? null, status ?? null, limit, after?.createdMicros ?? null, after?.id ?? null],
        readsEverything(principals) ? null : principals,
      ],
    );
    return rows;
  }

  /** Documents of a collection readers see. */
  async countLive(tenant: string, collection: string): Promise<number> {
    const { rows } = await this.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM document
       WHERE tenant = $1 AND collection = $2 AND live_version IS NOT NULL AND status NOT IN ('deleting', 'deleted')`,
      [tenant, collection],
    );
    return rows[0]!.count;
  }

  /** Some of them, spread over all, and the same each time. */
  async sampleLive(
    tenant: string,
    collection: string,
    limit: number,
  ): Promise<{ readonly id: string; readonly title: string; readonly text_blob_key: string }[]> {
    const { rows } = await this.database.query<{ id: string; title: string; text_blob_key: string }>(
      `SELECT d.id, coalesce(v.title, d.title) AS title, v.text_blob_key FROM document d
       JOIN document_version v ON v.tenant = d.tenant AND v.document_id = d.id AND v.version = d.live_version
       WHERE d.tenant = $1 AND d.collection = $2 AND d.status NOT IN ('deleting', 'deleted')
         AND v.text_blob_key IS NOT NULL
       ORDER BY md5(d.id), d.id LIMIT $3`,
      [tenant, collection, limit],
    );
    return rows;
  }

  async findVersion(tenant: string, id: string, version: number | bigint): Promise<VersionRow | undefined> {
    const { rows } = await this.database.query<VersionRow>(
      'SELECT * FROM document_version WHERE tenant = $1 AND document_id = $2 AND version = $3',
      [tenant, id, version],
    );
    return rows[0];
  }
}

/** Whether both lists admit whom the running work is for. */
export const isReadableByCaller = (row: Pick<DocumentRow, 'access' | 'collection_access'>): boolean =>
  mayRead(row.access, currentPrincipals()) && mayRead(row.collection_access, currentPrincipals());

export const notFound = (id: string): RagmeshError =>
  new RagmeshError('DOCUMENT.NOT_FOUND', `There is no document "${id}".`, { id });
