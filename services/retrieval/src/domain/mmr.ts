import { setImmediate } from 'node:timers/promises';
import { minMax } from './normalisation.js';
import type { FusedPoint } from './scored-point.js';
import { READ_CHARACTERS, similarity, termsOf, type Terms } from './terms.js';

/** Characters read and words looked up in one turn of the event loop: a few milliseconds. */
const LOOKS_PER_TURN = 20_000;

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): takes, one after the other, the point with the largest
 * `lambda · relevance − (1 − lambda) · likeness to what was taken`. Relevance is the min-max normalised score, likeness the
 * cosine of the words of their beginnings. `lambda` 1 keeps the order, 0 looks for novelty only; the best point is first in any
 * case. Scores stay. Long work takes several turns of the event loop.
 * @param points best first, with their text.
 */
export async function diversify(points: readonly FusedPoint[], lambda: number, count: number): Promise<FusedPoint[]> {
  if (lambda === 1) return points.slice(0, count);
  const relevance = minMax(points.map(({ score }) => score));
  let looks = 0;
  const look = async (more: number): Promise<void> => {
    looks += more;
    if (looks < LOOKS_PER_TURN) return;
    await setImmediate();
    looks = 0;
  };
  const terms: Terms[] = [];
  for (const { text } of points) {
    terms.push(termsOf(text));
    await look(Math.min(text.length, READ_CHARACTERS));
  }
  const likeness = new Float64Array(points.length);
  const left = new Set(points.keys());
  const taken: FusedPoint[] = [];
  for (let next = 0; left.size > 0 && taken.length < count; next = bestOf(left, relevance, likeness, lambda)) {
    left.delete(next);
    taken.push(points[next]!);
    for (const other of left) {
      likeness[other] = Math.max(likeness[other]!, similarity(terms[next]!, terms[other]!));
      await look(Math.min(terms[next]!.counts.size, terms[other]!.counts.size));
    }
  }
  return taken;
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
