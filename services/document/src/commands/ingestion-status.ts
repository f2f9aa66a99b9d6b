import { catalogue } from '@ragmesh/contracts';
import type { Publish } from '@ragmesh/messaging';
import { histogram } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import type { SagaState } from '@ragmesh/saga';
import { BlobCollector } from '../adapters/blob-collector.js';
import type { VersionRow } from '../adapters/document.rows.js';
import { isRetryable } from '../domain/retryable.js';
import type { Ingestion } from '../sagas/ingestion.saga.js';

/** Shows callers a move of the saga of a version, in the transaction that makes it. */
export async function showIngestion(tx: SqlTransaction, publish: Publish, state: SagaState<Ingestion>): Promise<void> {
  const { tenant, documentId, version } = state.data;
  if (state.status === 'completed') return showReady(tx, publish, state.data);
  // A caller does not wait for an undo that gets nowhere; the operators do.
  const stuck = state.status === 'compensating' && (state.undoError !== null || state.attempts > 1);
  if (stuck || state.status === 'failed' || state.status === 'aborted') return showFailed(tx, publish, state);
  if (state.step === 'chunk') return; // the document's row was made for this step; see showReading
  const { stage, progress } = stageOf(state);
  tx.write(
    `UPDATE document SET status = 'processing', stage = $4, progress = $5, updated_at = now()
       WHERE tenant = $1 AND id = $2 AND version = $3 AND status IN ('uploaded', 'processing')`,
    [tenant, documentId, version, stage, progress],
  );
}

/** Shows callers that a version is being read, in a transaction in which its saga waits for that. */
export function showReading(tx: SqlTransaction, tenant: string, id: string, version: number): void {
  tx.write(
    `UPDATE document SET status = 'processing', updated_at = now()
       WHERE tenant = $1 AND id = $2 AND version = $3 AND status = 'uploaded'`,
    [tenant, id, version],
  );
}

type Shown = Pick<VersionRow, 'media_type' | 'size_bytes' | 'sha256' | 'chunks'> & { readonly title: string };

async function showReady(tx: SqlTransaction, publish: Publish, data: Ingestion): Promise<void> {
  const { tenant, documentId, version, collection } = data;
  const { rows } = await tx.query<Shown>(
    `UPDATE document d SET live_version = $3,
         status = CASE WHEN d.version = $3 THEN 'ready' ELSE d.status END,
         stage = CASE WHEN d.version = $3 THEN NULL ELSE stage END, progress = CASE WHEN d.version = $3 THEN 1 ELSE progress END,
         error = CASE WHEN d.version = $3 THEN NULL ELSE error END, updated_at = now()
       FROM document_version v
       WHERE d.tenant = $1 AND d.id = $2 AND v.tenant = $1 AND v.document_id = $2 AND v.version = $3
         AND coalesce(d.live_version, 0) <= $3 AND d.status <> 'deleting'
       RETURNING coalesce(v.title, d.title) AS title, v.media_type, v.size_bytes, v.sha256, v.chunks`,
    [tenant, documentId, version],
  );
  const row = rows[0];
  if (!row) return;
  if (version > 1) dropOlder(tx, data);
  histogram('ragmesh_freshness_seconds').observe((Date.now() - Date.parse(data.acceptedAt)) / 1000);
  publish(catalogue.documentReady, documentId, {
    documentId,
    version: BigInt(version),
    collection,
    chunks: row.chunks, // of the generation readers see by now, which may not be the one the version was cut for
    title: row.title,
    mediaType: row.media_type,
    sizeBytes: BigInt(row.size_bytes),
    sha256: row.sha256,
  });
}

function dropOlder(tx: SqlTransaction, { tenant, documentId, version }: Ingestion): void {
  BlobCollector.release(tx, tenant, documentId, version);
  for (const table of ['chunk_batch', 'document_version']) {
    const older = `DELETE FROM ${table} WHERE tenant = $1 AND document_id = $2 AND version < $3`;
    tx.write(older, [tenant, documentId, version]);
  }
}

async function showFailed(tx: SqlTransaction, publish: Publish, { data, error }: SagaState<Ingestion>): Promise<void> {
  const { tenant, documentId, version, collection } = data;
  const { code, message } = error ?? { code: 'INTERNAL.UNEXPECTED', message: 'Ingestion failed.' };
  const { rows } = await tx.query<{ stage: string | null }>(
    `UPDATE document SET status = 'failed', error = $4, dedup_key = NULL, updated_at = now()
       WHERE tenant = $1 AND id = $2 AND version = $3 AND status IN ('uploaded', 'processing') RETURNING stage`,
    [tenant, documentId, version, JSON.stringify({ code, message })],
  );
  if (!rows[0]) return; // superseded or being deleted: not a failure anyone has to act on
  publish(catalogue.documentFailed, documentId, {
    documentId,
    version: BigInt(version),
    collection,
    stage: rows[0].stage ?? '',
    code,
    message,
    retryable: isRetryable(code),
  });
}

/** Stage and progress (0–1) callers see. Most of the time goes into embedding, so most of the way does too. */
function stageOf({ step, data }: SagaState<Ingestion>): { stage: string; progress: number } {
  if (step === 'show') return { stage: 'index', progress: 0.95 };
  const share = data.batches === 0 ? 0 : data.indexed.length / data.batches;
  return { stage: data.indexed.length === 0 ? 'embed' : 'index', progress: Number((0.1 + 0.85 * share).toFixed(3)) };
}
