import type { Metadata } from '../../domain/metadata-filter.js';

/** A chunk as the index keeps it. `start` and `end` are offsets into the document's text. */
export interface IndexedChunk {
  readonly pointId: string;
  readonly chunkId: string;
  readonly documentId: string;
  readonly version: number;
  readonly ordinal: number;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly heading: string | null;
  readonly text: string;
  readonly metadata: Metadata;
}

/** What is added; without a vector the point is found by its words only. */
export interface IndexedPoint extends IndexedChunk {
  readonly vector: Float32Array | null;
}

/** A found chunk: cosine similarity from the dense leg, raw BM25 from the lexical one. */
export interface SearchHit extends IndexedChunk {
  readonly score: number;
}
