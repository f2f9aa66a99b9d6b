import { isIPv6 } from 'node:net';

const WINDOW_MS = 60_000;
/** More addresses than that at once are no people; the oldest is forgotten. */
const MAX_SOURCES = 10_000;

interface Window {
  readonly until: number;
  count: number;
}

/** Counts refused credentials by source address, so that nobody can have the mesh look keys up as fast as he can send. */
export class FailedAttempts {
  readonly #windows = new Map<string, Window>();

  /** @param limit per minute and source. @param now milliseconds of a clock that only goes forward. */
  constructor(
    private readonly limit: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Seconds the source has to wait; 0 while it may try. */
  secondsToWait(address: string): number {
    const window = this.#windows.get(sourceOf(address));
    if (!window || window.count < this.limit) return 0;
    return Math.max(0, Math.ceil((window.until - this.now()) / 1000));
  }

  note(address: string): void {
    const source = sourceOf(address);
    const known = this.#windows.get(source);
    if (known && known.until > this.now()) {
      known.count += 1;
      return;
    }
    this.#windows.delete(source); // the new one goes to the end: the first is always the oldest
    this.#windows.set(source, { until: this.now() + WINDOW_MS, count: 1 });
    if (this.#windows.size > MAX_SOURCES) this.#windows.delete(this.#windows.keys().next().value!);
  }
}

/** One subscriber has a whole /64 of IPv6 addresses, so it counts as one source. */
function sourceOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::')) return address;
  const [before = ''] = address.split('::');
  return before.split(':').slice(0, 4).join(':');
}
