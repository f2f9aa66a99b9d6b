import type { StoredPoint } from './stored-point.js';

export interface ScoredPoint {
  readonly point: StoredPoint;
  readonly score: number;
}

export const byScore = (a: ScoredPoint, b: ScoredPoint): number =>
  b.score - a.score || a.point.sequence - b.point.sequence;

/** Reciprocal rank fusion with the server's constant: Σ 1 / (2 + rank), ranks from 0. */
export const reciprocalRanks = (lists: readonly ScoredPoint[][]): ScoredPoint[] =>
  summed(lists.map((list) => list.map(({ point }, rank) => ({ point, score: 1 / (2 + rank) }))));

/** Distribution-based score fusion: each list's scores become places between mean − 3σ and mean + 3σ. */
export const distributions = (lists: readonly ScoredPoint[][]): ScoredPoint[] =>
  summed(lists.map(placedInDistribution));

function placedInDistribution(list: readonly ScoredPoint[]): ScoredPoint[] {
  const mean = list.reduce((sum, { score }) => sum + score, 0) / list.length;
  const squares = list.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = list.length > 1 ? Math.sqrt(squares / (list.length - 1)) : 0;
  const low = mean - 3 * deviation;
  return list.map(({ point, score }) => ({ point, score: deviation === 0 ? 0.5 : (score - low) / (6 * deviation) }));
}

function summed(lists: readonly ScoredPoint[][]): ScoredPoint[] {
  const sums = new Map<StoredPoint, number>();
  for (const { point, score } of lists.flat()) sums.set(point, (sums.get(point) ?? 0) + score);
  return [...sums].map(([point, score]) => ({ point, score })).sort(byScore);
}
