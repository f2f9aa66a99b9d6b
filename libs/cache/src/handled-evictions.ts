/** A Redis too slow to be asked still announces evictions, and then nothing else would end the growth. */
const MAX_HANDLED = 10_000;

/**
 * Times of evictions that this process has dealt with before it asked for them. It keeps a bounded number; what it forgets is
 * evicted once more, which costs a computation and is never wrong.
 */
export class HandledEvictions {
  readonly #times = new Set<string>();

  add(time: string): void {
    if (this.#times.size >= MAX_HANDLED) this.#times.clear();
    this.#times.add(time);
  }

  has(time: string): boolean {
    return this.#times.has(time);
  }

  /** What happened until then has been asked for. */
  forgetUntil(clock: string): void {
    for (const time of this.#times) if (Number(time) <= Number(clock)) this.#times.delete(time);
  }
}
