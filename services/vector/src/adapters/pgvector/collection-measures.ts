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
  private readonly known = new Map<string, { readonly measure: Measure; readonly until: number }>();

  find(name: string): Measure | undefined {
    const known = this.known.get(name);
    return known && performance.now() < known.until ? known.measure : undefined;
  }

  /** Takes the place of what was remembered under the name. */
  note(name: string, measure: Measure): void {
    this.known.delete(name);
    if (measure.points < LARGE) return;
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(name, { measure, until: performance.now() + MAX_AGE_MS });
  }
}
