import { Injectable } from '@nestjs/common';
import type { Publish } from '@ragmesh/messaging';
import type { SqlTransaction } from '@ragmesh/postgres';
import { ChunkRepository } from '../adapters/chunk.repository.js';
import { DocumentRepository } from '../adapters/document.repository.js';
import type { DocumentRow } from '../adapters/document.rows.js';
import { GenerationRepository, chunkingOf } from '../adapters/generation.repository.js';
import { TextExtractor } from '../adapters/text-extractor.js';
import { batchesOf } from '../domain/chunk-batches.js';
import type { Span } from '../domain/kept-span.js';
import type { LongText } from '../domain/long-text.js';
import { recut } from '../domain/recut.js';
import { publishChunks } from '../publishes/document-chunked.event.js';
import type { Reindex } from '../sagas/reindex.saga.js';

/** A document cut for a generation. */
export interface CutVersion {
  readonly document: DocumentRow;
  readonly version: number;
  readonly text: LongText;
  readonly batches: readonly (readonly Span[])[];
  /** `name@revision` of the model that the generation is built with; null: this installation's own. */
  readonly model: string | null;
}

/** Cuts a document readers see for another generation, from its stored text, and sends it there. */
@Injectable()
export class CutDocument {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly generations: GenerationRepository,
    private readonly extractor: TextExtractor,
  ) {}

  /** Undefined for a version that is not, or not any more, the one readers see; another look finds what is. */
  async cut(
    { tenant, collection, generation }: Reindex,
    documentId: string,
    version: number,
  ): Promise<CutVersion | undefined> {
    const document = await this.documents.find(tenant, documentId);
    const upload = await this.documents.findVersion(tenant, documentId, version);
    if (!document || document.live_version !== version || !upload?.text_blob_key) return undefined;
    const row = await this.generations.find(tenant, collection, generation);
    const text = await this.extractor.readText(tenant, upload.text_blob_key);
    const place = { tenant, documentId, version };
    const kept = await this.chunks.readBatches({ ...place, generation });
    const model = row?.model ?? null;
    // As they are kept: another release would make others of them, and who counts batches by number would mix both.
    if (kept.length > 0) return { document, version, text, batches: kept, model };
    const live = await this.generations.live(tenant, collection);
    const spans = await this.chunks.read({ ...place, generation: live });
    const cut = await recut(upload.kind, text, spans, row ? chunkingOf(row) : null);
    return { document, version, text, batches: await batchesOf(cut, text, document.metadata), model };
  }

  /**
   * Sends it in the transaction, unless readers see another version by now, or none. One that comes in the same moment is
   * no harm: whoever indexes passes over what is superseded or dead.
   */
  async send(
    tx: SqlTransaction,
    publish: Publish,
    { tenant, generation }: Reindex,
    { document, version, text, batches, model }: CutVersion,
  ): Promise<void> {
    const now = await this.documents.findKept(tx, tenant, document.id);
    if (now?.live_version !== version || now.status === 'deleting') return;
    await this.chunks.add(tx, { tenant, documentId: document.id, version, generation }, batches);
    await publishChunks(publish, { ...document, version }, text, { generation, batches, model });
  }
}
