import { minMax, minMaxOfWords } from './normalisation.js';
import { byScore, type FusedPoint } from './scored-point.js';

/** Share of the dense score when no cross-encoder is configured (`APP_RERANK_ALPHA`). */
export const DEFAULT_RERANK_ALPHA = 0.7;

/**
 * The deterministic reranker: `alpha · dense + (1 − alpha) · lexical`, both min-max normalised over the candidates
 * themselves, so the head of the list is spread over the whole 0..1 and re-ordered by meaning before words. A score a
 * leg did not give counts 0.
 * @returns undefined where one leg gave nothing at all, so that there is nothing to blend.
 */
export function rerankByBlend(points: readonly FusedPoint[], alpha = DEFAULT_RERANK_ALPHA): FusedPoint[] | undefined {
  if (points.length === 0) return [];
  const dense = normalised(points, ({ dense }) => dense, minMax);
  const lexical = normalised(points, ({ lexical }) => lexical, minMaxOfWords);
  if (dense.size === 0 || lexical.size === 0) return undefined;
  const blend = ({ pointId }: FusedPoint) =>
    alpha * (dense.get(pointId) ?? 0) + (1 - alpha) * (lexical.get(pointId) ?? 0);
  return points.map((point) => ({ ...point, score: blend(point) })).sort(byScore);
}

function normalised(
  points: readonly FusedPoint[],
  scoreOf: (point: FusedPoint) => number | null,
  normalise: typeof minMax,
): Map<string, number> {
  const scored = points.filter((point) => scoreOf(point) !== null);
  const shares = normalise(scored.map((point) => scoreOf(point)!));
  return new Map(scored.map(({ pointId }, position) => [pointId, shares[position]!]));
}
