/**
 * Drops what scores below `minScore`. The unit is that of the result's own score: cosine for dense, BM25 for lexical,
 * 0..1 for hybrid. Null or undefined keeps everything.
 */
export function atLeast<P extends { readonly score: number }>(points: readonly P[], minScore?: number | null): P[] {
  return minScore === undefined || minScore === null ? [...points] : points.filter(({ score }) => score >= minScore);
}
