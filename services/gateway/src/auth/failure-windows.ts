const WINDOW_MS = 60_000;
/** More names than that at once are made up; the oldest is forgotten. */
const MAX_NAMES = 10_000;

interface Window {
  readonly until: number;
  count: number;
}

/** Counts failures by name, each within a minute of its own that begins with the first. */
export class FailureWindows {
  readonly #windows = new Map<string, Window>();

  /** @param now milliseconds of a clock that only goes forward. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Failures of the running minute. */
  count(name: string): number {
    const window = this.#windows.get(name);
    return window && window.until > this.now() ? window.count : 0;
  }

  /** Whole seconds until those that were counted are forgotten. */
  secondsLeft(name: string): number {
    return Math.ceil(((this.#windows.get(name)?.until ?? this.now()) - this.now()) / 1000);
  }

  note(name: string): void {
    const known = this.#windows.get(name);
    if (known && known.until > this.now()) {
      known.count += 1;
      return;
    }
    this.#windows.delete(name); // the new one goes to the end: the first is always the oldest
    this.#windows.set(name, { until: this.now() + WINDOW_MS, count: 1 });
    if (this.#windows.size > MAX_NAMES) this.#windows.delete(this.#windows.keys().next().value!);
  }
}
