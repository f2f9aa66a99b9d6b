import { Injectable } from '@nestjs/common';
import { catalogue } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { SagaEngine } from '@ragmesh/saga';
import { BlobCollector } from '../adapters/blob-collector.js';
import { ChunkRepository } from '../adapters/chunk.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import { deletionId, deletionSaga, type Deletion, type Receipt } from '../sagas/deletion.saga.js';
import { IngestionProcess } from './ingestion-process.js';

type Publish = OutboxWriter['publish'];

/** Blobs of a document, and whether no other document has them. */
const BLOBS = `
  SELECT key, NOT EXISTS (SELECT FROM document_version o WHERE o.tenant = $1 AND o.blob_key = key AND o.document_id <> $2)
    AND NOT EXISTS (SELECT FROM document_version o WHERE o.tenant = $1 AND o.text_blob_key = key AND o.document_id <> $2)
    AS is_last
  FROM (SELECT DISTINCT key FROM document_version, unnest(ARRAY[blob_key, text_blob_key]) AS key
        WHERE tenant = $1 AND document_id = $2 AND key <> '') AS own ORDER BY key`;

interface OwnBlob {
  readonly key: string;
  readonly is_last: boolean;
}

/** What the index says it removed of a document. */
export interface RemovedPoints {
  /** The newest version that was deleted; 0 when the index did not tell. */
  readonly upTo: number;
  readonly points: number;
}

/** Whether it answers an earlier deletion: the id was uploaded again since, and is being deleted again. */
const isOfEarlier = ({ upTo }: RemovedPoints, version: number): boolean => upTo > 0 && upTo < version;

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
      await this.ingestion.abort(tx, publish, id, version, { error, removesAll: true });
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
   * Removes the blobs of a document that is being deleted and whose points are gone; the saga counts them. Safe to repeat; a late
   * answer finds a document created anew and leaves it alone, also one that is itself being deleted.
   */
  async removeBlobs(id: string, removed: RemovedPoints): Promise<void> {
    const tenant = currentTenant();
    const keys = await this.outbox.transaction((tx, { publish }) => this.#releaseBlobs(tx, publish, id, removed));
    for (const key of keys) await this.collector.collect(tenant, key);
  }

  /** The last step: rows go, the tombstone and the receipt stay. */
  async finish(tx: SqlTransaction, publish: Publish, id: string, removed: RemovedPoints): Promise<void> {
    const tenant = currentTenant();
    const document = await this.documents.findLocked(tx, tenant, id);
    if (document?.status !== 'deleting' || isOfEarlier(removed, document.version)) return;
    const { version, collection } = document;
    const chunks = await this.chunks.remove(tx, tenant, id);
    BlobCollector.release(tx, tenant, id, Number.MAX_SAFE_INTEGER);
    tx.write('DELETE FROM document_version WHERE tenant = $1 AND document_id = $2', [tenant, id]);
    let receipt: Receipt = { points_removed: removed.points, chunks_removed: chunks, blobs_removed: 0 };
    await this.engine.deliver(tx, publish, deletionId(tenant, id, version), ({ data }) => {
      receipt = { ...receipt, blobs_removed: data.blobs ?? 0 };
      return { kind: 'step-done', step: 'remove-points', data: { receipt } };
    });
    tx.write(
      `UPDATE document SET status = 'deleted', live_version = NULL, title = '', metadata = '{}', receipt = $3, updated_at = now() WHERE tenant = $1 AND id = $2`,
      [tenant, id, receipt],
    );
    publish(catalogue.documentDeleted, id, {
      documentId: id,
      version: BigInt(version),
      collection,
      pointsRemoved: BigInt(removed.points),
      chunksRemoved: BigInt(chunks),
      blobsRemoved: BigInt(receipt.blobs_removed),
    });
  }

  /** What it counts is counted once: afterwards no version names a blob. @returns keys that may have lost their last reference. */
  async #releaseBlobs(tx: SqlTransaction, publish: Publish, id: string, removed: RemovedPoints): Promise<string[]> {
    const tenant = currentTenant();
    // Blobs are locked before the document, as by uploads; two documents with the same bytes are then deleted one after the other.
    const known = await tx.query<OwnBlob>(BLOBS, [tenant, id]);
    await BlobCollector.lock(tx, tenant, ...known.rows.map(({ key }) => key));
    const document = await this.documents.findLocked(tx, tenant, id);
    if (document?.status !== 'deleting' || isOfEarlier(removed, document.version)) return [];
    const { rows } = await tx.query<OwnBlob>(BLOBS, [tenant, id]);
    const keys = rows.map(({ key }) => key);
    tx.write(`UPDATE document_version SET blob_key = '', text_blob_key = NULL WHERE tenant = $1 AND document_id = $2`, [
      tenant,
      id,
    ]);
    tx.write('INSERT INTO blob_garbage (tenant, blob_key) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING', [
      tenant,
      keys,
    ]);
    const last = rows.filter((blob) => blob.is_last).length;
    await this.engine.deliver(tx, publish, deletionId(tenant, id, document.version), ({ step, data }) =>
      last > 0 ? { kind: 'progress', step, data: { blobs: (data.blobs ?? 0) + last } } : undefined,
    );
    return keys;
  }
}
