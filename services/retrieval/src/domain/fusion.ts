import { minMax, minMaxOfWords } from './normalisation.js';
import { byScore, type FusedPoint, type ScoredPoint } from './scored-point.js';

/** Share of the dense leg in the weighted sum. */
export const DEFAULT_ALPHA = 0.6;
/** The constant of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion" (SIGIR 2009). */
export const RRF_K = 60;

const MIN_CANDIDATES = 100;
const MAX_CANDIDATES = 200;

/** What both legs found, each best first. */
export interface Legs {
  readonly dense: readonly ScoredPoint[];
  readonly lexical: readonly ScoredPoint[];
}

/**
 * How many points each leg is asked for. Min-max normalisation needs the tail of a leg to know what a low score is, so
 * a small `topK` still fetches 100; beyond `topK` = 200 the legs give exactly what was asked for.
 */
export function candidateCount(topK: number): number {
  return Math.max(topK, Math.min(MAX_CANDIDATES, Math.max(MIN_CANDIDATES, topK * 5)));
}

/**
 * Convex combination of min-max normalised scores: `alpha · dense + (1 − alpha) · lexical`. A point that one leg did not
 * return counts 0 there. Scores lie in 0..1; an empty leg, and a lexical one without a word of the question, contributes
 * nothing and leaves the order of the other.
 * See Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval" (arXiv 2210.11934).
 */
export function fuseByWeightedSum(legs: Legs, alpha: number = DEFAULT_ALPHA): FusedPoint[] {
  const dense = minMax(legs.dense.map(({ score }) => score));
  const lexical = minMaxOfWords(legs.lexical.map(({ score }) => score));
  return fuse(
    legs,
    (rank) => alpha * (dense[rank] ?? 0),
    (rank) => (1 - alpha) * (lexical[rank] ?? 0),
  );
}

/** Reciprocal rank fusion: the sum of `1 / (k + rank)` over the legs that returned the point, rank from 1. */
export function fuseByReciprocalRank(legs: Legs, k: number = RRF_K): FusedPoint[] {
  const share = (rank: number) => 1 / (k + rank + 1);
  return fuse(legs, share, share);
}

type Share = (rank: number) => number;

function fuse(legs: Legs, denseShare: Share, lexicalShare: Share): FusedPoint[] {
  const fused = new Map<string, FusedPoint>();
  legs.dense.forEach((point, rank) => {
    if (fused.has(point.pointId)) return;
    fused.set(point.pointId, { ...point, score: denseShare(rank), dense: point.score, lexical: null });
  });
  const seen = new Set<string>();
  legs.lexical.forEach((point, rank) => {
    if (seen.has(point.pointId)) return;
    seen.add(point.pointId);
    const other = fused.get(point.pointId);
    const score = (other?.score ?? 0) + lexicalShare(rank);
    fused.set(point.pointId, { ...point, score, dense: other?.dense ?? null, lexical: point.score });
  });
  return [...fused.values()].sort(byScore);
}
