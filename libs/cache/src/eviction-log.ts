/** Evictions remembered one by one; about older ones only "there were some" is known. */
const REMEMBERED = 10_000;

/** A moment before a computation: evictions of this process so far, and the time in ms. */
export interface Mark {
  readonly clock: number;
  readonly time: number;
}

/**
 * When which tag was last evicted, in this process. A value that began to be computed before an eviction of one of its tags may
 * have been made from what is no longer so, and must not be stored after it.
 */
export class EvictionLog {
  readonly #byTag = new Map<string, Mark>();
  #clock = 0;
  /** What began before is of unknown freshness. */
  #floor: Mark = { clock: 0, time: -Infinity };

  /** @param settleMs for so long after an eviction a computation counts as begun before it. */
  constructor(private readonly settleMs: number) {}

  /** To take before a computation begins. */
  get mark(): Mark {
    return { clock: this.#clock, time: performance.now() };
  }

  note(tags: Iterable<string>): void {
    this.#clock += 1;
    const { mark } = this;
    for (const tag of tags) {
      this.#byTag.delete(tag); // the newest stands last
      this.#byTag.set(tag, mark);
    }
    while (this.#byTag.size > REMEMBERED) {
      const [oldest, at] = this.#byTag.entries().next().value!;
      this.#byTag.delete(oldest);
      this.#floor = at;
    }
  }

  /** As if every tag there is had been evicted. */
  noteAll(): void {
    this.#clock += 1;
    this.#floor = this.mark;
    this.#byTag.clear();
  }

  /** Whether one of the tags was evicted, or may have been, after the mark or shortly before it. */
  evictedSince(mark: Mark, tags: readonly string[]): boolean {
    const isLater = (eviction: Mark | undefined): boolean =>
      eviction !== undefined && (eviction.clock > mark.clock || eviction.time > mark.time - this.settleMs);
    return isLater(this.#floor) || tags.some((tag) => isLater(this.#byTag.get(tag)));
  }
}
