import type { Legs } from './fusion.js';
import { byScore, type ScoredPoint } from './scored-point.js';

/** A point of a document of its own, unless the test says otherwise. */
export function point(pointId: string, score: number, more: Partial<ScoredPoint> = {}): ScoredPoint {
  const place = {
    chunkId: pointId,
    documentId: pointId,
    version: 1,
    ordinal: 0,
    text: pointId,
    start: 0,
    end: pointId.length,
  };
  return { pointId, score, ...place, page: null, heading: null, metadata: {}, ...more };
}

/** mulberry32: the same numbers in 0..1 for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Two legs of up to 30 points that overlap in part, each best first. */
export function randomLegs(random: () => number): Legs {
  const leg = (scale: number) =>
    Array.from({ length: 40 }, (_, number) => point(`p${number}`, random() * scale))
      .filter(() => random() < 0.6)
      .sort(byScore);
  return { dense: leg(1), lexical: leg(30) };
}
