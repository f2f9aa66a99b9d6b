import { Injectable } from '@nestjs/common';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import { currentTenant, histogram } from '@ragmesh/observability';
import type { OutboxWriter } from '@ragmesh/outbox';
import { Database, type SqlTransaction } from '@ragmesh/postgres';
import { SagaEngine, type InputFrom, type SagaError, type SagaInput, type SagaState } from '@ragmesh/saga';
import { BlobCollector } from '../adapters/blob-collector.js';
import type { DocumentRow } from '../adapters/document.rows.js';
import { ingestionId, ingestionSaga, type Ingestion } from '../sagas/ingestion.saga.js';

type Publish = OutboxWriter['publish'];
type Indexed = Pick<eventsV1.VectorIndexed, 'documentId' | 'version' | 'batch' | 'generation'>;

interface NewVersion {
  readonly id: string;
  readonly version: number;
  readonly collection: string;
  /** The document as it was before, when this is a further version of it. */
  readonly replaces?: DocumentRow | undefined;
}

/** Uploads and deletions lock the document, then tell its saga. */
const LOCK_DOCUMENT = `
  SELECT FROM document d JOIN saga s ON s.tenant = d.tenant AND s.data ->> 'documentId' = d.id
  WHERE s.name = $1 AND s.id = $2 FOR NO KEY UPDATE OF d`;

/** The ingestion saga together with what callers see of it: each move of the saga changes the document's row with it. */
@Injectable()
export class IngestionProcess {
  readonly engine = new SagaEngine<Ingestion>(
    ingestionSaga,
    (tx, publish, _id, state) => this.#show(tx, publish, state),
    (tx, id) => tx.write(LOCK_DOCUMENT, [ingestionSaga.name, id]),
  );

  constructor(private readonly database: Database) {}

  /** Starts the ingestion of a version; one of an older version that still runs is called off. */
  async begin(tx: SqlTransaction, publish: Publish, { id, version, collection, replaces }: NewVersion): Promise<void> {
    const tenant = currentTenant();
    if (replaces)
      await this.abort(tx, publish, id, replaces.version, {
        code: 'DOCUMENT.CANCELLED',
        message: 'A newer version was uploaded.',
      });
    const acceptedAt = new Date().toISOString();
    await this.engine.start(tx, publish, ingestionId(tenant, id, version), {
      tenant,
      documentId: id,
      version,
      collection,
      chunks: 0,
      batches: 0,
      indexed: [],
      acceptedAt,
    });
  }

  /** Tells the saga of a version what happened. @returns false when it no longer waits for it. */
  deliver(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    version: number | bigint,
    input: SagaInput<Ingestion> | InputFrom<Ingestion>,
  ): Promise<boolean> {
    return this.engine.deliver(tx, publish, ingestionId(currentTenant(), id, version), input);
  }

  /** Whether the attempt has failed and what it did is not undone yet, with nothing known to stand in the way. */
  async isBeingUndone(id: string, version: number | bigint): Promise<boolean> {
    const { rows } = await this.database.query<{ undone: boolean }>(
      `SELECT status = 'compensating' AND undo_error IS NULL AND attempts = 1 AS undone FROM saga WHERE name = $1 AND id = $2`,
      [ingestionSaga.name, ingestionId(currentTenant(), id, version)],
    );
    return rows[0]?.undone ?? false;
  }

  abort(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    version: number | bigint,
    error: SagaError,
  ): Promise<boolean> {
    return this.deliver(tx, publish, id, version, { kind: 'abort', error });
  }

  /**
   * One batch more is indexed; after the last one the version is shown. Batches of another generation than the one readers
   * saw are not waited for.
   */
  batchIndexed(
    tx: SqlTransaction,
    publish: Publish,
    { documentId: id, version, batch, generation }: Indexed,
  ): Promise<boolean> {
    return this.engine.deliver(tx, publish, ingestionId(currentTenant(), id, version), ({ step, data }) => {
      if (step !== 'index' || data.indexed.includes(batch)) return undefined;
      if ((generation ?? data.generation) !== data.generation) return undefined;
      const indexed = [...data.indexed, batch];
      return { kind: indexed.length === data.batches ? 'step-done' : 'progress', step, data: { indexed } };
    });
  }

  async #show(tx: SqlTransaction, publish: Publish, state: SagaState<Ingestion>): Promise<void> {
    const { tenant, documentId, version } = state.data;
    if (state.status === 'completed') return this.#showReady(tx, publish, state.data);
    // A caller does not wait for an undo that gets nowhere; the operators do.
    const stuck = state.status === 'compensating' && (state.undoError !== null || state.attempts > 1);
    if (stuck || state.status === 'failed' || state.status === 'aborted') return this.#showFailed(tx, publish, state);
    if (state.step === 'chunk') return; // the document's row was made for this step
    const { stage, progress } = stageOf(state);
    tx.write(
      `UPDATE document SET status = CASE WHEN $4 = 'parse' AND status = 'uploaded' THEN status ELSE 'processing' END,
         stage = $4, progress = $5, updated_at = now()
       WHERE tenant = $1 AND id = $2 AND version = $3 AND status IN ('uploaded', 'processing')`,
      [tenant, documentId, version, stage, progress],
    );
  }

  async #showReady(tx: SqlTransaction, publish: Publish, data: Ingestion): Promise<void> {
    const { tenant, documentId, version, collection } = data;
    const { rows } = await tx.query<{ title: string; media_type: string; size_bytes: number; sha256: string }>(
      `UPDATE document d SET live_version = $3,
         status = CASE WHEN d.version = $3 AND d.status <> 'deleting' THEN 'ready' ELSE d.status END,
         stage = CASE WHEN d.version = $3 THEN NULL ELSE stage END, progress = CASE WHEN d.version = $3 THEN 1 ELSE progress END,
         error = CASE WHEN d.version = $3 THEN NULL ELSE error END, updated_at = now()
       FROM document_version v
       WHERE d.tenant = $1 AND d.id = $2 AND v.tenant = $1 AND v.document_id = $2 AND v.version = $3
       RETURNING d.title, v.media_type, v.size_bytes, v.sha256`,
      [tenant, documentId, version],
    );
    const row = rows[0];
    if (!row) return;
    if (version > 1) this.#dropOlder(tx, data);
    histogram('ragmesh_freshness_seconds').observe((Date.now() - Date.parse(data.acceptedAt)) / 1000);
    publish(catalogue.documentReady, documentId, {
      documentId,
      version: BigInt(version),
      collection,
      chunks: data.chunks,
      title: row.title,
      mediaType: row.media_type,
      sizeBytes: BigInt(row.size_bytes),
      sha256: row.sha256,
    });
  }

  #dropOlder(tx: SqlTransaction, { tenant, documentId, version }: Ingestion): void {
    BlobCollector.release(tx, tenant, documentId, version);
    for (const table of ['chunk_batch', 'document_version']) {
      const older = `DELETE FROM ${table} WHERE tenant = $1 AND document_id = $2 AND version < $3`;
      tx.write(older, [tenant, documentId, version]);
    }
  }

  async #showFailed(tx: SqlTransaction, publish: Publish, { data, error, step }: SagaState<Ingestion>): Promise<void> {
    const { tenant, documentId, version, collection } = data;
    const { code, message } = error ?? { code: 'INTERNAL.UNEXPECTED', message: 'Ingestion failed.' };
    const { rowCount } = await tx.query(
      `UPDATE document SET status = 'failed', error = $4, dedup_key = NULL, updated_at = now()
       WHERE tenant = $1 AND id = $2 AND version = $3 AND status IN ('uploaded', 'processing') RETURNING id`,
      [tenant, documentId, version, JSON.stringify({ code, message })],
    );
    if (rowCount === 0) return; // superseded or being deleted: not a failure anyone has to act on
    const retryable = code === 'DOCUMENT.CANCELLED' || errorCatalogue[code as ErrorCode]?.retry === 'transient';
    publish(catalogue.documentFailed, documentId, {
      documentId,
      version: BigInt(version),
      collection,
      stage: step,
      code,
      message,
      retryable,
    });
  }
}

/** Stage and progress (0–1) callers see. Most of the time goes into embedding, so most of the way does too. */
function stageOf({ step, data }: SagaState<Ingestion>): { stage: string; progress: number } {
  if (step === 'chunk') return { stage: 'parse', progress: 0 };
  if (step === 'show') return { stage: 'index', progress: 0.95 };
  const share = data.batches === 0 ? 0 : data.indexed.length / data.batches;
  return { stage: data.indexed.length === 0 ? 'embed' : 'index', progress: Number((0.1 + 0.85 * share).toFixed(3)) };
}
