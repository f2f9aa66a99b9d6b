import type { FusedPoint } from './scored-point.js';

/** What a least score is compared with. */
export interface LeastScore {
  readonly minScore?: number | undefined;
  /**
   * Whether scores tell only how a hit compares with the others of its search, as fused ones do: the best then has a high one
   * even where nothing fits.
   */
  readonly isRelative: boolean;
}

/**
 * Whether a hit may be a result. Its own score must reach `minScore`: cosine for dense, BM25 for lexical, 0..1 for hybrid and
 * after reranking. Where that is relative, so must its cosine, which tells whether it is about the question at all; a hit
 * that has none (the dense leg failed, or it has no vector) is judged by its score alone. 0 keeps every fused hit.
 */
export function reaches({ score, dense }: FusedPoint, { minScore, isRelative }: LeastScore): boolean {
  if (minScore === undefined) return true;
  return score >= minScore && (minScore <= 0 || !isRelative || dense === null || dense >= minScore);
}
