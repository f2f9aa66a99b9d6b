import type { Span } from './kept-span.js';
import type { LongText } from './long-text.js';
import { metadataBytes } from './metadata-bytes.js';
import { ShortTurns } from './short-turns.js';

/** Chunks per batch at most, and so per event and per row. */
const MOST_CHUNKS = 64;
/** Of one event with its vectors: what a topic takes is 1 MiB, and headers need a little of it. */
const MOST_BYTES = 1_000_000;
/** What a chunk's vector may take: 4,096 numbers, as many as large models give. */
const VECTOR_BYTES = 4_096 * Float32Array.BYTES_PER_ELEMENT;

/**
 * Cuts the chunks of a version into batches, in their order, so that the event of each fits on the bus, also once vectors are
 * added to it. A chunk that is too large for that makes a batch of its own. In short turns of the event loop.
 * @param metadata of the document, which goes with each batch.
 */
export async function batchesOf(spans: readonly Span[], text: LongText, metadata: object): Promise<Span[][]> {
  const turns = new ShortTurns();
  const room = MOST_BYTES - metadataBytes(metadata);
  const batches: Span[][] = [];
  let left = 0;
  for (const span of spans) {
    const bytes = bytesOf(span, text);
    if (bytes > left || batches.at(-1)!.length === MOST_CHUNKS) {
      await turns.next();
      batches.push([]);
      left = room;
    }
    batches.at(-1)!.push(span);
    left -= bytes;
  }
  return batches;
}

function bytesOf([start, end, , heading, metadata]: Span, text: LongText): number {
  const content = Buffer.byteLength(text.slice(start, end)) + Buffer.byteLength(heading ?? '');
  return content + VECTOR_BYTES + (metadata ? metadataBytes(metadata) : 0);
}
