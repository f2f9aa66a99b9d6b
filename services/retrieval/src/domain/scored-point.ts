/** A chunk as one leg of the search found it. Offsets count UTF-16 units in the document's canonical text. */
export interface ScoredPoint {
  /** The index's own id of it. */
  readonly pointId: string;
  /** The id its readers know; empty until its text is read. */
  readonly chunkId: string;
  readonly documentId: string;
  readonly version: number;
  /** Position of the chunk in its document, from 0. */
  readonly ordinal: number;
  /** Cosine similarity, BM25 or a fused score: higher is better, comparable within one list only. */
  readonly score: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly heading: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A chunk after fusion, with what each leg gave it; null where the leg did not return it. */
export interface FusedPoint extends ScoredPoint {
  readonly dense: number | null;
  readonly lexical: number | null;
}

/** Best first; equal scores in the order of their ids, so that the same input always gives the same list. */
export function byScore(a: ScoredPoint, b: ScoredPoint): number {
  return b.score - a.score || (a.pointId < b.pointId ? -1 : a.pointId > b.pointId ? 1 : 0);
}
