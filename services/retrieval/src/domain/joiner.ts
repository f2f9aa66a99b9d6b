import { RRF_K, fuseByReciprocalRank, fuseByWeightedSum, type Legs } from './fusion.js';
import type { UsableLegs } from './leg-outcomes.js';
import { byScore, type FusedPoint } from './scored-point.js';
import type { SearchQuery } from './search-query.js';
import { keepOneVersionAcross } from './version-consistency.js';

type JoinOptions = Pick<SearchQuery, 'mode' | 'alpha'> & Partial<Pick<SearchQuery, 'fusion'>>;

/**
 * One list out of the legs, best first, with one version of each document. A single-leg mode keeps that leg's own scores
 * (cosine or BM25); hybrid scores lie in 0..1, also when a leg is missing: the other then has the whole weight, so that
 * `min_score` means the same.
 */
export function joinLegs({ dense, lexical, missing }: UsableLegs, { mode, alpha, fusion }: JoinOptions): FusedPoint[] {
  const [denseLeg = [], lexicalLeg = []] = keepOneVersionAcross([dense, lexical]);
  if (mode === 'dense') return denseLeg.map((point) => ({ ...point, dense: point.score, lexical: null }));
  if (mode === 'lexical') return lexicalLeg.map((point) => ({ ...point, dense: null, lexical: point.score }));
  const legs = { dense: denseLeg, lexical: lexicalLeg };
  if (fusion === 'rrf') return shareOfBest(legs, missing ? 1 : 2);
  const weight = missing === 'dense' ? 0 : missing === 'lexical' ? 1 : alpha;
  return fuseByWeightedSum(legs, weight);
}

/** Reciprocal ranks as a share of what the first of every leg gets. */
function shareOfBest(legs: Legs, count: number): FusedPoint[] {
  const fused = fuseByReciprocalRank(ranked(legs));
  return fused.map((point) => ({ ...point, score: (point.score * (RRF_K + 1)) / count }));
}

/** The legs as rankings: best first, and without what has no word of the question, which a leg over both scores too. */
export const ranked = ({ dense, lexical }: Legs): Legs => ({
  dense: dense.toSorted(byScore),
  lexical: lexical.filter(({ score }) => score > 0).sort(byScore),
});
