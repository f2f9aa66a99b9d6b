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

/** A point as both legs score it; `dense` is missing for one without a vector. */
export interface HybridHit extends Pick<IndexedChunk, 'pointId' | 'documentId' | 'version'> {
  readonly dense: number | undefined;
  readonly lexical: number;
}

/** Hits with the time each leg took; the second scoring counts for the dense leg. */
export interface HybridHits {
  readonly hits: readonly HybridHit[];
  readonly denseMs: number;
  readonly lexicalMs: number;
}
