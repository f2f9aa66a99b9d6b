import { isIPv6 } from 'node:net';
import { RagmeshError } from '@ragmesh/errors';

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
  /** Attempts whose outcome nobody knows yet, by source. */
  readonly #running = new Map<string, Set<Promise<void>>>();

  /** @param limit per minute and source. @param now milliseconds of a clock that only goes forward. */
  constructor(
    private readonly limit: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * Makes an attempt, which failed when it gives undefined. No more of a source run at once than it may still fail; others wait
   * until it is known how those ended.
   * @throws RagmeshError AUTH.TOO_MANY_ATTEMPTS, without having made it, when too many failed; or what the attempt throws, which
   * does not count.
   */
  async run<T>(address: string, attempt: () => Promise<T | undefined>): Promise<T | undefined> {
    const source = sourceOf(address);
    for (;;) {
      const running = this.#running.get(source);
      const left = this.limit - this.#failed(source);
      if (left <= 0) throw this.#refusal(source);
      if (!running || running.size < left) break;
      await Promise.race(running);
    }
    return this.#count(source, attempt());
  }

  async #count<T>(source: string, attempt: Promise<T | undefined>): Promise<T | undefined> {
    const running = this.#running.get(source) ?? new Set();
    this.#running.set(source, running);
    const ended = Promise.withResolvers<void>();
    running.add(ended.promise);
    try {
      const outcome = await attempt;
      if (outcome === undefined) this.#note(source);
      return outcome;
    } finally {
      running.delete(ended.promise);
      if (running.size === 0) this.#running.delete(source);
      ended.resolve();
    }
  }

  #failed(source: string): number {
    const window = this.#windows.get(source);
    return window && window.until > this.now() ? window.count : 0;
  }

  #refusal(source: string): RagmeshError {
    const seconds = Math.ceil((this.#windows.get(source)!.until - this.now()) / 1000);
    return new RagmeshError('AUTH.TOO_MANY_ATTEMPTS', 'Too many credentials from this address did not hold.', {
      retry_after: seconds,
    });
  }

  #note(source: string): void {
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
