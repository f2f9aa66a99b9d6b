interface Seen {
  readonly state: string;
  readonly at: number;
}

/** Tells what has not changed for some time. */
export class Stillness {
  readonly #seen = new Map<string, Seen>();

  constructor(
    private readonly afterMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether `id` was seen in this state only for `afterMs`. Having said so, it waits as long again. */
  isStill(id: string, state: string): boolean {
    const known = this.#seen.get(id);
    if (known?.state === state && this.now() - known.at < this.afterMs) return false;
    this.#seen.set(id, { state, at: this.now() });
    return known?.state === state;
  }

  /** It moves, or is no longer looked at. */
  forget(id: string): void {
    this.#seen.delete(id);
  }

  /** Forgets all but these. */
  keepOnly(ids: readonly string[]): void {
    const kept = new Set(ids);
    for (const id of this.#seen.keys()) if (!kept.has(id)) this.#seen.delete(id);
  }
}
