import { describe, expect, it } from '@jest/globals';
import { ConcurrencyLimit } from './concurrency-limit.js';

/** A server that does so many requests a second, asked by more than it can serve. */
function overload(limit: ConcurrencyLimit, perSecond: number, seconds: number, from = 0): number {
  let now = from;
  let inFlight = 0;
  let last = 0;
  for (let done = 0; done < perSecond * seconds; done += 1) {
    now += 1000 / perSecond;
    inFlight = Math.max(inFlight - 1, limit.current(now)); // whoever leaves is followed by the next
    last = (inFlight / perSecond) * 1000;
    limit.note(last, inFlight, now);
  }
  return last;
}

describe('ConcurrencyLimit', () => {
  it('lets in as many as it was given while requests are fast', () => {
    const limit = new ConcurrencyLimit(512, 250);
    for (let at = 0; at < 10_000; at += 1) limit.note(20, 300, at);
    expect(limit.current(10_000)).toBe(512);
  });

  it('keeps what is let in within the target when more is asked for than can be done', () => {
    const limit = new ConcurrencyLimit(512, 250);
    const last = overload(limit, 300, 20);
    expect(last).toBeLessThan(350);
    expect(last).toBeGreaterThan(125);
  });

  it('never goes below 32, or below what it was given', () => {
    for (const [most, least] of [
      [512, 32],
      [10, 10],
    ] as const) {
      const limit = new ConcurrencyLimit(most, 250);
      overload(limit, 5, 1200);
      expect(limit.current(1_200_000)).toBe(least);
    }
  });

  it('takes requests that are slow by nature for what they are', () => {
    const limit = new ConcurrencyLimit(512, 250);
    limit.note(2000, 0, 0);
    for (let at = 0; at < 1000; at += 1) limit.note(2500, 200, at);
    expect(limit.current(1000)).toBe(512);
    for (let at = 1000; at < 2000; at += 1) limit.note(at % 4 === 0 ? 50 : 9000, 200, at);
    expect(limit.current(2000)).toBe(512);
  });

  it('is itself again some seconds after the last delay', () => {
    const limit = new ConcurrencyLimit(512, 250);
    overload(limit, 300, 10);
    expect(limit.current(10_100)).toBeLessThan(200);
    expect(limit.current(25_000)).toBe(512);
  });
});
