import { fuseByWeightedSum } from './fusion.js';
import type { UsableLegs } from './leg-outcomes.js';
import type { FusedPoint } from './scored-point.js';
import type { SearchQuery } from './search-query.js';
import { keepOneVersionAcross } from './version-consistency.js';

/**
 * One list out of the legs, best first, with one version of each document. A single-leg mode keeps that leg's own scores
 * (cosine or BM25); hybrid scores lie in 0..1, also when a leg is missing: the other then has the whole weight, so that
 * `min_score` means the same.
 */
export function joinLegs({ dense, lexical, missing }: UsableLegs, { mode, alpha }: SearchQuery): FusedPoint[] {
  const [denseLeg = [], lexicalLeg = []] = keepOneVersionAcross([dense, lexical]);
  if (mode === 'dense') return denseLeg.map((point) => ({ ...point, dense: point.score, lexical: null }));
  if (mode === 'lexical') return lexicalLeg.map((point) => ({ ...point, dense: null, lexical: point.score }));
  const weight = missing === 'dense' ? 0 : missing === 'lexical' ? 1 : alpha;
  return fuseByWeightedSum({ dense: denseLeg, lexical: lexicalLeg }, weight);
}
