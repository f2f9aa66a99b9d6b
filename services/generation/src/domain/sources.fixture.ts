import type { Source } from './source.js';

/** A source that begins somewhere inside its document, unless the test says otherwise. */
export function source(text: string, more: Partial<Source> = {}): Source {
  const start = more.start ?? 100;
  const place = { id: `s-${text.length}`, documentId: 'd', version: 1, start, end: start + text.length };
  return { text, ...place, page: null, heading: null, score: 1, metadata: {}, ...more };
}

/** What work that yields gives when nothing else wants to go first. */
export function finished<Result>(work: Generator<void, Result>): Result {
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
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
