import { catalogue } from '@ragmesh/contracts';
import type { Publish } from '@ragmesh/messaging';
import type { DocumentRow } from '../adapters/document.rows.js';
import type { Span } from '../domain/kept-span.js';
import type { LongText } from '../domain/long-text.js';
import { ShortTurns } from '../domain/short-turns.js';

/** Chunks of a version for a generation of its collection's index; unset: whichever readers see. */
export interface Cut {
  readonly generation: number | undefined;
  readonly batches: readonly (readonly Span[])[];
  /** `name@revision` of the model it is built with; null: the one this installation embeds with. */
  readonly model: string | null;
}

type Chunked = Pick<DocumentRow, 'id' | 'version' | 'collection' | 'title' | 'metadata'>;

/** One event for each batch of chunks, in short turns of the event loop. */
export async function publishChunks(publish: Publish, document: Chunked, text: LongText, cut: Cut): Promise<void> {
  const turns = new ShortTurns();
  const { generation, batches, model } = cut;
  let first = 0;
  for (const [batch, spans] of batches.entries()) {
    publish(catalogue.documentChunked, document.id, {
      documentId: document.id,
      version: BigInt(document.version),
      collection: document.collection,
      batch,
      batches: batches.length,
      title: document.title,
      metadata: document.metadata as never,
      chunks: spans.map((span, index) => toChunk(span, first + index, text)),
      ...(generation === undefined ? {} : { generation }),
      model: model ?? '',
    });
    first += spans.length;
    await turns.next();
  }
}

function toChunk([start, end, page, heading, metadata]: Span, ordinal: number, text: LongText) {
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
