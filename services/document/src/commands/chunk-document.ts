import { Injectable } from '@nestjs/common';
import type { eventsV1 } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { skip, type Delivery, type HandlerResult } from '@ragmesh/messaging';
import { currentTenant, histogram } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow, VersionRow } from '../adapters/document.rows.js';
import { TextExtractor, type ExtractedText } from '../adapters/text-extractor.js';
import { BlobStore } from '../adapters/blob-store.js';
import { BlobCollector } from '../adapters/blob-collector.js';
import { publishChunks } from '../publishes/document-chunked.event.js';
import { IngestionProcess } from './ingestion-process.js';
import { VersionCuts, ingestionData } from './version-cuts.js';

type Begun = Pick<eventsV1.DocumentCreated, 'documentId' | 'version'>;

/** A stored upload becomes text and chunks, and each batch of chunks an event. */
@Injectable()
export class ChunkDocument {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly blobs: BlobStore,
    private readonly extractor: TextExtractor,
    private readonly ingestion: IngestionProcess,
    private readonly cuts: VersionCuts,
  ) {}

  async run({ documentId, version }: Begun, delivery: Delivery): Promise<HandlerResult> {
    const tenant = currentTenant();
    const [document, upload] = await Promise.all([
      this.documents.find(tenant, documentId),
      this.documents.findVersion(tenant, documentId, version),
    ]);
    if (!document || !upload || document.version !== Number(version)) return skip('superseded by a newer version');
    if (document.status === 'deleting' || document.status === 'deleted') return skip('the document is being deleted');
    const stopTimer = histogram('ragmesh_stage_duration_seconds').startTimer({ stage: 'parse' });
    try {
      return await this.#extract(tenant, document, upload, delivery);
    } catch (error) {
      if (!isRagmeshError(error) || error.retry === 'transient') throw error;
      // The file is to blame, not the event: the document fails with its reason, nothing is dead-lettered.
      const failure = { code: error.code, message: error.message };
      return delivery.commit(async (tx, publish) => {
        await this.ingestion.deliver(tx, publish, documentId, version, { kind: 'step-failed', error: failure });
      });
    } finally {
      stopTimer();
    }
  }

  async #extract(
    tenant: string,
    document: DocumentRow,
    upload: VersionRow,
    delivery: Delivery,
  ): Promise<HandlerResult> {
    const placed = { tenant, collection: document.collection, upload };
    const extracted =
      (await this.cuts.reuse(placed)) ?? (await this.extractor.extract(tenant, upload, delivery.signal));
    try {
      if (extracted.spans.length === 0) throw new RagmeshError('DOCUMENT.EMPTY', 'The document has no text.');
      return await delivery.commit(async (tx, publish) => {
        if (extracted.staged) {
          await BlobCollector.lock(tx, tenant, extracted.staged.key);
          await this.blobs.publish(tenant, extracted.staged);
        }
        const cuts = await this.cuts.keep(tx, placed, extracted);
        this.#note(tx, tenant, upload, extracted, cuts[0]!.spans.length);
        // Those beside come first: what readers see counts, and is shown once it is there.
        for (const cut of cuts.toReversed()) publishChunks(publish, document, extracted.text, cut);
        const data = ingestionData(cuts);
        const waits = await this.ingestion.deliver(tx, publish, document.id, upload.version, {
          kind: 'step-done',
          step: 'chunk',
          data,
        });
        if (!waits) throw new RagmeshError('DOCUMENT.CANCELLED', 'The ingestion was called off meanwhile.');
      });
    } catch (error) {
      if (extracted.staged) this.blobs.abandoned.add({ tenant, key: extracted.staged.key });
      throw error;
    } finally {
      if (extracted.staged) await this.blobs.discard(extracted.staged);
    }
  }

  #note(tx: SqlTransaction, tenant: string, upload: VersionRow, extracted: ExtractedText, chunks: number): void {
    const { document_id: id, version } = upload;
    tx.write(
      'UPDATE document_version SET media_type = $4, text_blob_key = $5, chunks = $6 WHERE tenant = $1 AND document_id = $2 AND version = $3',
      [tenant, id, version, extracted.mediaType, extracted.textKey, chunks],
    );
    if (extracted.title) {
      const named = `UPDATE document SET title = $3 WHERE tenant = $1 AND id = $2 AND title IN ('Untitled', $4)`;
      tx.write(named, [tenant, id, extracted.title, upload.file_name]);
    }
  }
}
