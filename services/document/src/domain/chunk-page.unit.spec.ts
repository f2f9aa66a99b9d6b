import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from '@jest/globals';
import { documentV1 } from '@ragmesh/contracts';
import { chunkPage } from './chunk-page.js';

const LARGEST_MESSAGE = 16 * 1024 * 1024;
/** What an upload of chunks may hold at the most. */
const largest = {
  words: { text: '字'.repeat(100_000), metadata: { note: '字'.repeat(65_000) } },
  numbers: { text: 'a', metadata: { all: Array.from({ length: 32_700 }, () => 1) } },
};

const bytesInMessage = ({ text, metadata }: { text: string; metadata: object }): number => {
  const page = create(documentV1.ListChunksResponseSchema, { chunks: [{ text, metadata: metadata as never }] });
  return toBinary(documentV1.ListChunksResponseSchema, page).length;
};

describe('a page of chunks', () => {
  it.each(Object.entries(largest))(
    'fits into a message whatever they hold, and the next goes on: %s',
    (_what, chunk) => {
      const wanted = Array.from({ length: 50 }, () => chunk);
      const bytes = bytesInMessage(chunk);
      expect(bytes * wanted.length).toBeGreaterThan(LARGEST_MESSAGE);
      const { chunks, nextOrdinal } = chunkPage(wanted, { first: 20, total: 1_000 });
      expect(chunks.length).toBeGreaterThan(5);
      expect(nextOrdinal).toBe(20 + chunks.length);
      expect(bytes * chunks.length).toBeLessThan(LARGEST_MESSAGE);
    },
  );

  it('has all where they fit, and one where not even that does', () => {
    const small = Array.from({ length: 200 }, () => ({ text: 'a'.repeat(2_000), metadata: undefined }));
    expect(chunkPage(small, { first: 0, total: 200 })).toEqual({ chunks: small, nextOrdinal: undefined });
    expect(chunkPage(small, { first: 0, total: 201 })).toEqual({ chunks: small, nextOrdinal: 200 });
    expect(chunkPage([], { first: 200, total: 200 })).toEqual({ chunks: [], nextOrdinal: undefined });
    const above = { text: 'a'.repeat(2 ** 24), metadata: undefined };
    expect(chunkPage([above, small[0]!], { first: 0, total: 2 })).toEqual({ chunks: [above], nextOrdinal: 1 });
  });
});
