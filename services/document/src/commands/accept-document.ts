import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant, type AccessList } from '@ragmesh/observability';
import type { OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import { BlobCollector } from '../adapters/blob-collector.js';
import { BlobStore, type StagedBlob } from '../adapters/blob-store.js';
import type { DocumentStatus, UploadKind } from '../adapters/document.rows.js';
import type { DocumentConfig } from '../document.config.js';
import { FairTurns } from '../domain/fair-turns.js';
import { checkId, chunkingOf, dedupKey, titleFrom } from '../domain/upload.js';
import { ChangeDocumentAccess } from './change-document-access.js';
import { IngestionProcess } from './ingestion-process.js';
import { KnownDocument } from './known-document.js';

export interface Upload {
  /** Empty: a new id is made. */
  readonly id: string;
  readonly collection: string;
  readonly title: string;
  readonly fileName: string;
  readonly metadata: Record<string, unknown>;
  readonly chunkSize?: number;
  readonly chunkOverlap?: number;
  readonly kind: UploadKind;
  readonly replace: boolean;
  /** Who may read it; undefined: as before, at first everyone of the tenant. */
  readonly access: AccessList | undefined;
  /** UUID that repeats of the request share; empty or absent: none. */
  readonly seed?: string;
  /** Address that the bytes were fetched from; empty or absent: they came with the request. */
  readonly fetchedFrom?: string;
}

export interface Accepted {
  readonly id: string;
  readonly version: number;
  readonly status: DocumentStatus;
  readonly deduplicated: boolean;
}

interface Prepared extends Upload {
  readonly tenant: string;
  readonly blob: StagedBlob;
  readonly mediaType: string;
  readonly chunking: { size: number; overlap: number };
  readonly dedup: string;
  /** What it and its repeats are told by; null: nothing. */
  readonly madeBy: string | null;
}

const KEEP = `
  WITH kept AS (
    INSERT INTO document (tenant, id, collection, title, status, stage, version, dedup_key, metadata, access, access_revision,
      made_by)
    VALUES ($1, $2, $3, $4, 'uploaded', 'parse', $5, CASE WHEN NOT EXISTS (
      SELECT FROM document WHERE tenant = $1 AND collection = $3 AND dedup_key = $6 AND id <> $2) THEN $6 END, $7, $16, 1, $17)
    ON CONFLICT (tenant, id) DO UPDATE SET collection = excluded.collection, title = excluded.title, status = 'uploaded',
      stage = 'parse', progress = 0, attempt = 1, version = excluded.version, dedup_key = excluded.dedup_key, error = NULL,
      receipt = NULL, metadata = excluded.metadata, updated_at = now(),
      created_at = CASE WHEN document.status = 'deleted' THEN now() ELSE document.created_at END,
      access = CASE WHEN document.status = 'deleted' THEN excluded.access ELSE document.access END,
      access_revision = document.access_revision + CASE WHEN document.status = 'deleted' THEN 1 ELSE 0 END,
      made_by = CASE WHEN document.status = 'deleted' THEN excluded.made_by ELSE document.made_by END)
  INSERT INTO document_version
    (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256, blob_key, chunk_size, chunk_overlap)
  VALUES ($1, $2, $5, $8, $9, $10, $11, $12, $13, $14, $15)`;

/** What readers see until the new version is ready, and what stays when it fails, goes on being called as it was. */
const NAME_OLDER = `
  UPDATE document_version v SET title = d.title, metadata = d.metadata FROM document d
  WHERE d.tenant = $1 AND d.id = $2 AND v.tenant = $1 AND v.document_id = $2 AND v.title IS NULL`;

/** What each kind is taken for; a file until it is read. */
const SENT_AS: Readonly<Record<UploadKind, string>> = {
  file: 'application/octet-stream',
  text: 'text/plain',
  chunks: 'application/json',
};

/** Takes a document in: the bytes first, then state, saga and event in one transaction. Nothing is half accepted. */
@Injectable()
export class AcceptDocument {
  readonly #turns = new FairTurns((tenant) => this.ingestion.sharesWithOthers(tenant));

  constructor(
    private readonly changing: ChangeDocumentAccess,
    private readonly blobs: BlobStore,
    private readonly known: KnownDocument,
    private readonly ingestion: IngestionProcess,
    @Inject(CONFIG) private readonly config: DocumentConfig,
  ) {}

  /** @param signal of the caller: who leaves before his turn is not taken in. */
  async run(upload: Upload, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Accepted> {
    const collection = checkId('collection', upload.collection || 'default');
    if (upload.id) checkId('id', upload.id);
    const { CHUNK_SIZE: size, CHUNK_OVERLAP: overlap } = this.config;
    const chunking = chunkingOf(upload, { size, overlap });
    const blob = await this.blobs.stage(bytes, this.config.DOCUMENT_MAX_BYTES);
    try {
      if (blob.bytes === 0)
        throw new RagmeshError('DOCUMENT.EMPTY', 'The document is empty (0 bytes).', { field: 'file' });
      const dedup = dedupKey(upload.kind, blob.sha256, chunking, upload.access ?? null);
      const mediaType = SENT_AS[upload.kind];
      const madeBy = madeUnder({ ...upload, collection, chunking, dedup });
      const prepared = { ...upload, collection, chunking, blob, dedup, madeBy, mediaType, tenant: currentTenant() };
      await this.blobs.prepare(prepared.tenant, blob);
      return await this.#turns.run(prepared.tenant, signal, () =>
        this.changing.transaction((tx, out) => this.#accept(tx, out, prepared)),
      );
    } catch (error) {
      this.blobs.abandoned.add({ tenant: currentTenant(), key: blob.key });
      throw error;
    } finally {
      await this.blobs.discard(blob);
    }
  }

  async #accept(tx: SqlTransaction, { publish }: OutboxWriter, upload: Prepared): Promise<Accepted> {
    const { tenant, collection } = upload;
    // Uploads of the same bytes and of the same id queue up here, so that twenty at once become one.
    const locks = [upload.blob.key, ...(upload.id ? [`id/${upload.id}`] : [])];
    // What is asked behind the locks in the same turn is answered once they are held.
    const locked = BlobCollector.lock(tx, tenant, ...locks);
    const finding = this.known.find(tx, publish, { ...upload, sha256: upload.blob.sha256 });
    const [{ row: known, alive, isSame }] = await Promise.all([finding, locked]);
    if (alive && isSame) return { id: alive.id, version: alive.version, status: alive.status, deduplicated: true };
    await this.blobs.publish(tenant, upload.blob);
    const id = known?.id ?? (upload.id || uuidv7());
    const version = (known?.version ?? 0) + 1;
    if (alive) tx.write(NAME_OLDER, [tenant, id]);
    this.#write(tx, upload, id, version);
    const { chunking } = upload;
    const isUpdate = alive !== undefined;
    await this.ingestion.begin(tx, publish, { id, version, collection, replaces: alive, isUpdate, chunking });
    return { id, version, status: 'uploaded', deduplicated: false };
  }

  #write(tx: SqlTransaction, upload: Prepared, id: string, version: number): void {
    const { tenant, collection, blob, chunking } = upload;
    tx.write(KEEP, [
      ...[tenant, id, collection, titleFrom(upload.title, upload.fileName), version],
      ...[upload.id ? null : upload.dedup, upload.metadata, upload.kind, upload.fileName, upload.mediaType],
      ...[blob.bytes, blob.sha256, blob.key, chunking.size, chunking.overlap],
      ...[upload.access ?? null, upload.madeBy],
    ]);
  }
}

/**
 * One request may hold several uploads, and a key that was given back may come with another, or with other properties. What was
 * fetched is told by where it was fetched from, since it may be other bytes each time; where nothing is named, bytes under two names
 * are one document.
 */
function madeUnder(upload: Omit<Prepared, 'tenant' | 'blob' | 'mediaType' | 'madeBy'>): string | null {
  const { seed, id, collection, title, fileName, metadata, fetchedFrom, kind, chunking, access, dedup } = upload;
  if (!seed) return null;
  const content = fetchedFrom ? [fetchedFrom, dedupKey(kind, '', chunking, access ?? null)] : [dedup];
  const named = id && !fetchedFrom ? [fileName] : [];
  return uuidv5(JSON.stringify([id, collection, title, metadata, ...content, ...named]), seed);
}
