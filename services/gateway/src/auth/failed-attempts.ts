import { isIPv6 } from 'node:net';
import { RagmeshError } from '@ragmesh/errors';
import { FailureWindows } from './failure-windows.js';

/** Counts refused credentials by source address, so that nobody can have the mesh look keys up as fast as he can send. */
export class FailedAttempts {
  readonly #failures: FailureWindows;
  /** Attempts whose outcome nobody knows yet, by source. */
  readonly #running = new Map<string, Set<Promise<void>>>();

  /** @param limit per minute and source. @param now milliseconds of a clock that only goes forward. */
  constructor(
    private readonly limit: number,
    now?: () => number,
  ) {
    this.#failures = new FailureWindows(now);
  }

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
      const left = this.limit - this.#failures.count(source);
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
      if (outcome === undefined) this.#failures.note(source);
      return outcome;
    } finally {
      running.delete(ended.promise);
      if (running.size === 0) this.#running.delete(source);
      ended.resolve();
    }
  }

  #refusal(source: string): RagmeshError {
    return new RagmeshError('AUTH.TOO_MANY_ATTEMPTS', 'Too many credentials from this address did not hold.', {
      retry_after: this.#failures.secondsLeft(source),
    });
  }
}

/** One subscriber has a whole /64 of IPv6 addresses, so it counts as one source. */
function sourceOf(address: string): string {
  if (!isIPv6(address) || address.startsWith('::')) return address;
  const [before = ''] = address.split('::');
  return before.split(':').slice(0, 4).join(':');
}
