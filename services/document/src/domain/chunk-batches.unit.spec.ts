import { describe, expect, it } from '@jest/globals';
import { create, toBinary, type JsonObject } from '@bufbuild/protobuf';
import { eventsV1 } from '@ragmesh/contracts';
import { batchesOf } from './chunk-batches.js';
import type { Span } from './kept-span.js';
import { LongText } from './long-text.js';

const TOPIC_LIMIT = 1_048_576;
const DIMENSION = 4_096;

/** Chunks of these lengths, one behind the other. */
function spansOf(lengths: readonly number[], metadata?: JsonObject): Span[] {
  let at = 0;
  return lengths.map((length) => {
    const start = at;
    at += length;
    return metadata ? [start, at, null, null, metadata] : [start, at, null, null];
  });
}

function eventBytes(batch: readonly Span[], text: string, metadata: JsonObject): number {
  const chunks = batch.map(([start, end, , , own]) => ({
    text: text.slice(start, end),
    ...(own ? { metadata: own } : {}),
  }));
  const vectors = new Uint8Array(batch.length * DIMENSION * 4);
  const schema = eventsV1.ChunksEmbeddedSchema;
  return toBinary(schema, create(schema, { chunks: chunks as never, metadata, vectors })).length;
}

describe('batches of chunks', () => {
  it('are of some 60 chunks when these are of usual size', async () => {
    const spans = spansOf(Array.from({ length: 150 }, () => 1_000));
    const batches = await batchesOf(spans, LongText.of('x'.repeat(150_000)), { source: 'a book' });
    expect(batches.map(({ length }) => length)).toEqual([57, 57, 36]);
    expect(batches.flat()).toEqual(spans);
  });

  const fields = Object.fromEntries(Array.from({ length: 4_000 }, (_, at) => [`f${at}`, at]));
  it.each([
    ['large texts of many bytes', Array(20).fill(100_000), '漢', undefined, {}],
    ['texts of any size', [1, 100_000, 5, 300_000, 200_000, 7, 1_000], 'x', undefined, {}],
    ['many short fields for each chunk', Array(30).fill(10), 'x', fields, {}],
    ['many short fields of the document', Array(200).fill(1_000), 'x', undefined, fields],
  ])('fit on the bus with their vectors: %s', async (_, lengths: number[], letter, own, metadata) => {
    const spans = spansOf(lengths, own);
    const text = letter.repeat(lengths.reduce((sum, length) => sum + length, 0));
    const batches = await batchesOf(spans, LongText.of(text), metadata);
    expect(batches.flat()).toEqual(spans);
    for (const batch of batches) expect(eventBytes(batch, text, metadata)).toBeLessThan(TOPIC_LIMIT);
  });
});
