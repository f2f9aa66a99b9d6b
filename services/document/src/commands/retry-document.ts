import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { currentTenant } from '@ragmesh/observability';
import { Outbox, type OutboxWriter } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow } from '../adapters/document.rows.js';
import { IngestionProcess } from './ingestion-process.js';

/**
 * Tries a failed document again. The attempt is a version of its own, because late events of the failed one must stay
 * dead; it shares blob, text and chunks with it, so only what was not finished is done again.
 */
@Injectable()
export class RetryDocument {
  constructor(
    private readonly outbox: Outbox,
    private readonly documents: DocumentRepository,
    private readonly ingestion: IngestionProcess,
  ) {}

  /** @returns the version of the new attempt. @throws RagmeshError DOCUMENT.NOT_FAILED. */
  async run(id: string): Promise<number> {
    const tenant = currentTenant();
    return this.outbox.transaction(async (tx, { publish }) => {
      const document = await this.documents.lock(tx, tenant, id);
      const { status } = document;
      if (status !== 'failed')
        throw new RagmeshError(
          'DOCUMENT.NOT_FAILED',
          `Document "${id}" is ${status}; only a failed one can be retried.`,
          { id, status },
        );
      return this.again(tx, publish, document);
    });
  }

  /** The next attempt at a failed document whose row is locked. @returns its version. */
  async again(tx: SqlTransaction, publish: OutboxWriter['publish'], document: DocumentRow): Promise<number> {
    const tenant = currentTenant();
    const { id, version, collection, live_version: live } = document;
    const next = version + 1;
    tx.write(
      `INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256, blob_key, text_blob_key, chunk_size, chunk_overlap, chunks)
         SELECT tenant, document_id, $4, kind, file_name, media_type, size_bytes, sha256, blob_key, text_blob_key, chunk_size, chunk_overlap, chunks
         FROM document_version WHERE tenant = $1 AND document_id = $2 AND version = $3`,
      [tenant, id, version, next],
    );
    tx.write('UPDATE chunk_batch SET version = $4 WHERE tenant = $1 AND document_id = $2 AND version = $3', [
      tenant,
      id,
      version,
      next,
    ]);
    tx.write(
      `UPDATE document SET status = 'uploaded', stage = 'parse', progress = 0, attempt = attempt + 1, version = $3, error = NULL, updated_at = now()
         WHERE tenant = $1 AND id = $2`,
      [tenant, id, next],
    );
    await this.ingestion.begin(tx, publish, { id, version: next, collection, isUpdate: Boolean(live) });
    return next;
  }
}
