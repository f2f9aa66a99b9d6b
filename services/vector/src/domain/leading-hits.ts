/** Scores of one hit of a hybrid search. */
export interface LegScores {
  /** Undefined for a point without a vector. */
  readonly dense?: number | undefined;
  readonly lexical: number;
}

/**
 * The hits a caller who ranks by `alpha · dense + (1 − alpha) · lexical`, each min-max normalised, most likely wants. A
 * forecast: ranking stays the caller's, who may drop or move any of them.
 */
export function leadingHits<Hit extends LegScores>(hits: readonly Hit[], alpha: number, count: number): Hit[] {
  if (count <= 0) return [];
  const dense = scale(hits.map((hit) => hit.dense ?? 0));
  const lexical = scale(hits.map((hit) => hit.lexical));
  const score = (at: number): number => alpha * dense(at) + (1 - alpha) * lexical(at);
  const order = hits.map((_hit, at) => ({ at, score: score(at) })).toSorted((a, b) => b.score - a.score);
  return order.slice(0, count).map(({ at }) => hits[at]!);
}

function scale(scores: readonly number[]): (at: number) => number {
  const low = Math.min(...scores);
  const range = Math.max(...scores) - low;
  return (at) => (range > 0 ? (scores[at]! - low) / range : 1);
}
