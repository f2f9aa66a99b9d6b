import { Injectable } from '@nestjs/common';
import type { eventsV1 } from '@ragmesh/contracts';
import type { SqlTransaction } from '@ragmesh/postgres';

/** A version of a document, as events name it. */
export type VersionRef = Pick<eventsV1.DocumentCreated, 'documentId' | 'version' | 'collection'>;

const NOTE_ACCEPTED = `
  INSERT INTO catalogue_entry AS entry (tenant, document_id, collection, version, state)
  VALUES ($1, $2, $3, $4, 'accepted')
  ON CONFLICT (tenant, document_id) DO UPDATE
  SET collection = excluded.collection, version = excluded.version, state = excluded.state, chunks = 0, updated_at = now()
  WHERE entry.version < excluded.version`;

/** A recount that came first stands: it is of a later moment than the end of the ingestion. */
const NOTE_READY = `
  INSERT INTO catalogue_entry AS entry
    (tenant, document_id, collection, version, state, chunks, title, media_type, size_bytes, sha256)
  VALUES ($1, $2, $3, $4, 'ready', $5, $6, $7, $8, $9)
  ON CONFLICT (tenant, document_id) DO UPDATE
  SET collection = excluded.collection, version = excluded.version, state = excluded.state,
      chunks = CASE WHEN entry.version = excluded.version AND entry.state = 'ready' THEN entry.chunks ELSE excluded.chunks END,
      title = excluded.title, media_type = excluded.media_type, size_bytes = excluded.size_bytes,
      sha256 = excluded.sha256, updated_at = now()
  WHERE entry.version < excluded.version OR (entry.version = excluded.version AND entry.state <> 'deleted')`;

/**
 * Topics come in any order: what readers see is ready, also when word of that is still to come. So does word of two cuts, when the
 * earlier was put off.
 */
const NOTE_RECUT = `
  INSERT INTO catalogue_entry AS entry (tenant, document_id, collection, version, state, chunks, recut_at)
  SELECT $1, id, $2, version, 'ready', chunks, $6 FROM unnest($3::text[], $4::bigint[], $5::int[]) AS cut (id, version, chunks)
  ORDER BY id
  ON CONFLICT (tenant, document_id) DO UPDATE
  SET collection = excluded.collection, version = excluded.version, state = excluded.state, chunks = excluded.chunks,
      recut_at = excluded.recut_at, updated_at = now()
  WHERE entry.version < excluded.version
    OR (entry.version = excluded.version AND entry.state <> 'deleted' AND entry.recut_at <= excluded.recut_at)`;

const NOTE_DELETED = `
  INSERT INTO catalogue_entry AS entry (tenant, document_id, collection, version, state)
  VALUES ($1, $2, $3, $4, 'deleted')
  ON CONFLICT (tenant, document_id) DO UPDATE
  SET version = excluded.version, state = excluded.state, chunks = 0, title = '', media_type = '', size_bytes = 0,
      sha256 = '', updated_at = now()
  WHERE entry.version < excluded.version OR (entry.version = excluded.version AND entry.state <> 'deleted')`;

/** The catalogue's entries. Each method answers whether it changed anything: false means a newer truth is known. */
@Injectable()
export class CatalogueRepository {
  async noteAccepted(tx: SqlTransaction, tenant: string, version: VersionRef): Promise<boolean> {
    return changed(tx, NOTE_ACCEPTED, keyOf(tenant, version));
  }

  async noteReady(tx: SqlTransaction, tenant: string, ready: eventsV1.DocumentReady): Promise<boolean> {
    const { chunks, title, mediaType, sizeBytes, sha256 } = ready;
    return changed(tx, NOTE_READY, [...keyOf(tenant, ready), chunks, title, mediaType, sizeBytes, sha256]);
  }

  /** Documents of a collection as readers see them cut from now on. */
  async noteRecut(tx: SqlTransaction, tenant: string, recut: eventsV1.CollectionRecut): Promise<boolean> {
    const { collection, documents, shownAt } = recut;
    const ids = documents.map(({ documentId }) => documentId);
    const versions = documents.map(({ version }) => version);
    const chunks = documents.map((document) => document.chunks);
    return changed(tx, NOTE_RECUT, [tenant, collection, ids, versions, chunks, shownAt]);
  }

  async noteDeleted(tx: SqlTransaction, tenant: string, version: VersionRef): Promise<boolean> {
    return changed(tx, NOTE_DELETED, keyOf(tenant, version));
  }
}

const keyOf = (tenant: string, { documentId, collection, version }: VersionRef): unknown[] => [
  tenant,
  documentId,
  collection,
  version,
];

async function changed(tx: SqlTransaction, sql: string, values: readonly unknown[]): Promise<boolean> {
  return (await tx.query(sql, values)).rowCount > 0;
}
