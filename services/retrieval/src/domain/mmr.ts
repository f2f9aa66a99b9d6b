import { minMax } from './normalisation.js';
import type { FusedPoint } from './scored-point.js';
import { similarity, termsOf, type Terms } from './terms.js';

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): takes, one after the other, the point with the largest
 * `lambda · relevance − (1 − lambda) · likeness to what was taken`. Relevance is the min-max normalised score, likeness the
 * cosine of the words. `lambda` 1 keeps the order, 0 looks for novelty only; the best point is first in any case. Scores stay.
 * @param points best first, with their text.
 */
export function diversify(points: readonly FusedPoint[], lambda: number, count: number): FusedPoint[] {
  if (lambda === 1) return points.slice(0, count);
  const relevance = minMax(points.map(({ score }) => score));
  const terms = points.map(({ text }) => termsOf(text));
  const likeness = new Float64Array(points.length);
  const left = new Set(points.keys());
  const taken: FusedPoint[] = [];
  for (let next = 0; left.size > 0 && taken.length < count; next = bestOf(left, relevance, likeness, lambda)) {
    left.delete(next);
    taken.push(points[next]!);
    noteLikeness(terms, next, left, likeness);
  }
  return taken;
}

function noteLikeness(terms: readonly Terms[], taken: number, left: ReadonlySet<number>, likeness: Float64Array): void {
  for (const other of left) likeness[other] = Math.max(likeness[other]!, similarity(terms[taken]!, terms[other]!));
}

/** Equal gains: the earlier one, so that the same input always gives the same list. */
function bestOf(
  left: ReadonlySet<number>,
  relevance: readonly number[],
  likeness: Float64Array,
  lambda: number,
): number {
  let best = -1;
  let gain = -Infinity;
  for (const at of left) {
    const marginal = lambda * relevance[at]! - (1 - lambda) * likeness[at]!;
    if (marginal > gain) [best, gain] = [at, marginal];
  }
  return best;
}
