/** Long for a machine that is slow and has other work: whoever waits goes on at once when it is so. */
const WITHIN_MS = 60_000;
const SHORTEST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
/** Of the time waited so far, the next pause: asking costs what is waited for some of the processor, and the answer is hardly later. */
const PAUSE_SHARE = 0.1;

// As they are before a spec puts others in their place.
const { setTimeout: later } = globalThis;
const now = performance.now.bind(performance);

/**
 * Resolves with the first value of the probe that is neither undefined, null nor false; after any other one it asks again, later
 * the longer it takes. What the probe throws ends the wait. Give `withinMs` only where the time is a promise of the product or
 * something larger is waited for.
 * @param what is waited for, or what tells of it and of what was seen last.
 * @throws Error that names it when it is not so within the time.
 */
export async function eventually<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  withinMs = WITHIN_MS,
): Promise<NonNullable<Exclude<T, false>>> {
  const begin = now();
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
    const waitedMs = now() - begin;
    if (waitedMs > withinMs) {
      const told = typeof what === 'string' ? what : what();
      throw new Error(`Not within ${withinMs / 1_000} s: ${told}`);
    }
    const pauseMs = Math.min(Math.max(waitedMs * PAUSE_SHARE, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
    await new Promise((resolve) => later(resolve, pauseMs));
  }
}
