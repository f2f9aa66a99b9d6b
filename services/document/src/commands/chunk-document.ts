import { Injectable } from '@nestjs/common';
import { catalogue, type eventsV1 } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { skip, type Delivery, type HandlerResult, type Publish } from '@ragmesh/messaging';
import { currentTenant, histogram } from '@ragmesh/observability';
import type { SqlTransaction } from '@ragmesh/postgres';
import { BATCH_SIZE, ChunkRepository } from '../adapters/chunk.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow, Span, VersionRow } from '../adapters/document.rows.js';
import { TextExtractor, type ExtractedText } from '../adapters/text-extractor.js';
import { BlobStore } from '../adapters/blob-store.js';
import { BlobCollector } from '../adapters/blob-collector.js';
import { IngestionProcess } from './ingestion-process.js';

type Begun = Pick<eventsV1.DocumentCreated, 'documentId' | 'version'>;

/** A stored upload becomes text and chunks, and each batch of chunks an event. */
@Injectable()
export class ChunkDocument {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly blobs: BlobStore,
    private readonly extractor: TextExtractor,
    private readonly ingestion: IngestionProcess,
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
    const extracted =
      (await this.#reuse(tenant, upload)) ?? (await this.extractor.extract(tenant, upload, delivery.signal));
    try {
      if (extracted.spans.length === 0) throw new RagmeshError('DOCUMENT.EMPTY', 'The document has no text.');
      return await delivery.commit(async (tx, publish) => {
        if (extracted.staged) {
          await BlobCollector.lock(tx, tenant, extracted.staged.key);
          await this.blobs.publish(tenant, extracted.staged);
        }
        this.#keep(tx, tenant, upload, extracted);
        this.#publishBatches(publish, document, upload, extracted);
        const data = { chunks: extracted.spans.length, batches: Math.ceil(extracted.spans.length / BATCH_SIZE) };
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

  /** What an earlier attempt at the same upload extracted. */
  async #reuse(tenant: string, upload: VersionRow): Promise<ExtractedText | undefined> {
    if (!upload.text_blob_key || upload.chunks === 0) return undefined;
    const spans = await this.chunks.read(tenant, upload.document_id, upload.version);
    const text = await this.extractor.readText(tenant, upload.text_blob_key);
    return { text, spans, mediaType: upload.media_type, title: null, textKey: upload.text_blob_key };
  }

  #keep(tx: SqlTransaction, tenant: string, upload: VersionRow, extracted: ExtractedText): void {
    const { document_id: id, version } = upload;
    if (upload.chunks > 0) this.chunks.discard(tx, tenant, id, version);
    this.chunks.add(tx, tenant, id, version, extracted.spans);
    tx.write(
      'UPDATE document_version SET media_type = $4, text_blob_key = $5, chunks = $6 WHERE tenant = $1 AND document_id = $2 AND version = $3',
      [tenant, id, version, extracted.mediaType, extracted.textKey, extracted.spans.length],
    );
    if (extracted.title) {
      const named = `UPDATE document SET title = $3 WHERE tenant = $1 AND id = $2 AND title IN ('Untitled', $4)`;
      tx.write(named, [tenant, id, extracted.title, upload.file_name]);
    }
  }

  #publishBatches(publish: Publish, document: DocumentRow, upload: VersionRow, { spans, text }: ExtractedText): void {
    const batches = Math.ceil(spans.length / BATCH_SIZE);
    for (let batch = 0; batch < batches; batch += 1) {
      const first = batch * BATCH_SIZE;
      publish(catalogue.documentChunked, document.id, {
        documentId: document.id,
        version: BigInt(upload.version),
        collection: document.collection,
        batch,
        batches,
        title: document.title,
        metadata: document.metadata as never,
        chunks: spans.slice(first, first + BATCH_SIZE).map((span, index) => toChunk(span, first + index, text)),
      });
    }
  }
}

function toChunk([start, end, page, heading, metadata]: Span, ordinal: number, text: string) {
  return {
    ordinal,
    text: text.slice(start, end),
    start,
    end,
    ...(page === null ? {} : { page }),
    ...(heading === null ? {} : { heading }),
    ...(metadata ? { metadata: metadata as never } : {}),
  };
}
