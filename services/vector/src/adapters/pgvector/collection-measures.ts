import { LRUCache } from 'lru-cache';

/** What BM25 weighs the words of a generation by. */
export interface Measure {
  readonly generation: number;
  readonly points: number;
  /** Terms a point has on average. */
  readonly average: number;
}

/** Of fewer points each one counts, and to count them costs little. */
const LARGE = 10_000;
const MAX_AGE_MS = 30_000;
const MAX_REMEMBERED = 1_000;

/** Remembers large generations' measures for a short time: to take one reads a key of every point there is. */
export class CollectionMeasures {
  private readonly known = new LRUCache<string, Measure>({ max: MAX_REMEMBERED, ttl: MAX_AGE_MS });

  find(name: string): Measure | undefined {
    return this.known.get(name);
  }

  /** Takes the place of what was remembered under the name. */
  note(name: string, measure: Measure): void {
    if (measure.points < LARGE) this.known.delete(name);
    else this.known.set(name, measure);
  }
}
