import { Injectable } from '@nestjs/common';
import type { eventsV1 } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { skip, type Delivery, type HandlerResult, type Publish } from '@ragmesh/messaging';
import { currentTenant, histogram } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { UploadedRow, VersionRow } from '../adapters/document.rows.js';
import { TextExtractor, type ExtractedText } from '../adapters/text-extractor.js';
import { BlobStore } from '../adapters/blob-store.js';
import { BlobCollector } from '../adapters/blob-collector.js';
import { publishChunks } from '../publishes/document-chunked.event.js';
import { IngestionProcess } from './ingestion-process.js';
import { VersionCuts, chunksOf, ingestionData, type CutBatches, type PlacedVersion } from './version-cuts.js';

type Begun = Pick<eventsV1.DocumentCreated, 'documentId' | 'version'>;

/** Longer than a full queue before the parsers takes; what one file may take there has a limit of its own. */
export const READ_WITHIN_SECONDS = 3_600;

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
    const document = await this.documents.findUploaded(tenant, documentId);
    if (!document || document.version !== Number(version)) return skip('superseded by a newer version');
    if (document.status === 'deleting' || document.status === 'deleted') return skip('the document is being deleted');
    const stopTimer = histogram('ragmesh_stage_duration_seconds').startTimer({ stage: 'parse' });
    try {
      return await this.#extract(tenant, document, delivery);
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

  async #extract(tenant: string, document: UploadedRow, delivery: Delivery): Promise<HandlerResult> {
    const upload = { ...document, document_id: document.id };
    const placed = { tenant, collection: document.collection, upload, metadata: document.metadata };
    const extracted =
      (await this.cuts.reuse(placed)) ??
      (await this.ingestion.reading(document, delivery.signal, () => this.extractor.extract(tenant, upload, delivery)));
    try {
      if (extracted.spans.length === 0) throw new RagmeshError('DOCUMENT.EMPTY', 'The document has no text.');
      if (extracted.staged) await this.blobs.prepare(tenant, extracted.staged);
      const batches = await this.cuts.prepare(placed, extracted);
      const locks = extracted.staged ? [BlobCollector.lockOf(tenant, extracted.staged.key)] : [];
      return await delivery.commit(
        (tx, publish) => this.#keep(tx, publish, placed, { document, extracted, batches }),
        locks,
      );
    } catch (error) {
      if (extracted.staged) this.blobs.abandoned.add({ tenant, key: extracted.staged.key });
      throw error;
    } finally {
      if (extracted.staged) await this.blobs.discard(extracted.staged);
    }
  }

  async #keep(
    tx: SqlTransaction,
    publish: Publish,
    placed: PlacedVersion,
    {
      document,
      extracted,
      batches,
    }: Readonly<{ document: UploadedRow; extracted: ExtractedText; batches: CutBatches }>,
  ): Promise<void> {
    const { tenant, upload } = placed;
    if (extracted.staged) await this.blobs.publish(tenant, extracted.staged);
    const keeping = this.cuts.keep(tx, placed, batches);
    const telling = this.ingestion.deliver(tx, publish, document.id, upload.version, async () => {
      const cuts = await keeping;
      this.#note(tx, tenant, upload, extracted, chunksOf(cuts[0]!));
      // Those beside come first: what readers see counts, and is shown once it is there.
      for (const cut of cuts.toReversed()) await publishChunks(publish, document, extracted.text, cut);
      return { kind: 'step-done', step: 'chunk', data: ingestionData(cuts) };
    });
    // Both have to end before the transaction does, whatever became of one.
    await Promise.allSettled([telling, keeping]);
    const [waits] = await Promise.all([telling, keeping]);
    if (!waits) throw new RagmeshError('DOCUMENT.CANCELLED', 'The ingestion was called off meanwhile.');
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
