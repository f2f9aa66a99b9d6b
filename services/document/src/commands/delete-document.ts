import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { SagaEngine } from '@ragmesh/saga';
import { BlobCollector } from '../adapters/blob-collector.js';
import { ChunkRepository } from '../adapters/chunk.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import { deletionId, deletionSaga, type Deletion } from '../sagas/deletion.saga.js';
import { IngestionProcess } from './ingestion-process.js';

type Publish = OutboxWriter['publish'];

/** What a deletion removed; the caller's receipt. */
export interface Receipt {
  readonly points_removed: number;
  readonly chunks_removed: number;
  readonly blobs_removed: number;
}

/** Deletes a document: tombstone first, then the index, then chunks and blobs, then the receipt. */
@Injectable()
export class DeleteDocument {
  readonly engine = new SagaEngine<Deletion>(deletionSaga, () => Promise.resolve());

  constructor(
    private readonly outbox: Outbox,
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly collector: BlobCollector,
    private readonly ingestion: IngestionProcess,
  ) {}

  /** Asks for the deletion; asking again is the same deletion. @returns the version it deletes up to. */
  async run(id: string): Promise<number> {
    const tenant = currentTenant();
    return this.outbox.transaction(async (tx, { publish }) => {
      const { status, version, collection } = await this.documents.lock(tx, tenant, id);
      if (status === 'deleting') return version;
      tx.write(
        `UPDATE document SET status = 'deleting', stage = NULL, error = NULL, dedup_key = NULL, updated_at = now() WHERE tenant = $1 AND id = $2`,
        [tenant, id],
      );
      const error = { code: 'DOCUMENT.DELETING', message: 'The document is being deleted.' };
      await this.ingestion.abort(tx, publish, id, version, error);
      await this.engine.start(tx, publish, deletionId(tenant, id, version), {
        tenant,
        documentId: id,
        version,
        collection,
      });
      return version;
    });
  }

  /**
   * Removes the blobs of a document that is being deleted and whose points are gone. Safe to repeat; a late answer finds a
   * document created anew and leaves it alone. @returns how many this call removed.
   */
  async removeBlobs(tenant: string, id: string): Promise<number> {
    const keys = await this.outbox.transaction(async (tx) => {
      if ((await this.documents.findLocked(tx, tenant, id))?.status !== 'deleting') return [];
      const { rows } = await tx.query<{ key: string }>(
        `SELECT DISTINCT key FROM document_version, unnest(ARRAY[blob_key, text_blob_key]) AS key
         WHERE tenant = $1 AND document_id = $2 AND key IS NOT NULL`,
        [tenant, id],
      );
      tx.write(
        `UPDATE document_version SET blob_key = '', text_blob_key = NULL WHERE tenant = $1 AND document_id = $2`,
        [tenant, id],
      );
      tx.write('INSERT INTO blob_garbage (tenant, blob_key) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING', [
        tenant,
        rows.map(({ key }) => key).filter((key) => key !== ''),
      ]);
      return rows.map(({ key }) => key).filter((key) => key !== '');
    });
    let removed = 0;
    for (const key of keys) if (await this.collector.collect(tenant, key)) removed += 1;
    return removed;
  }

  /** The last step: rows go, the tombstone and the receipt stay. */
  async finish(
    tx: SqlTransaction,
    publish: Publish,
    id: string,
    counts: { points: number; blobs: number },
  ): Promise<void> {
    const tenant = currentTenant();
    const document = await this.documents.findLocked(tx, tenant, id);
    if (!document || document.status !== 'deleting') return;
    const { version, collection } = document;
    const chunks = await this.chunks.remove(tx, tenant, id);
    BlobCollector.release(tx, tenant, id, Number.MAX_SAFE_INTEGER);
    tx.write('DELETE FROM document_version WHERE tenant = $1 AND document_id = $2', [tenant, id]);
    const receipt: Receipt = { points_removed: counts.points, chunks_removed: chunks, blobs_removed: counts.blobs };
    tx.write(
      `UPDATE document SET status = 'deleted', live_version = NULL, title = '', metadata = '{}', receipt = $3, updated_at = now() WHERE tenant = $1 AND id = $2`,
      [tenant, id, receipt],
    );
    await this.engine.deliver(tx, publish, deletionId(tenant, id, version), {
      kind: 'step-done',
      step: 'remove-points',
    });
    publish(catalogue.documentDeleted, id, {
      documentId: id,
      version: BigInt(version),
      collection,
      pointsRemoved: BigInt(counts.points),
      chunksRemoved: BigInt(chunks),
      blobsRemoved: BigInt(counts.blobs),
    });
  }
}
