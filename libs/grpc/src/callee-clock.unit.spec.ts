import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CalleeClock } from './callee-clock.js';

const MINUTE = 60_000;

/** A refusal by a copy whose clock is so far ahead of ours. */
function refusal(aheadMs: number) {
  const metadata = new Metadata();
  metadata.set('x-ragmesh-time', String(Date.now() + aheadMs));
  return { code: status.UNAUTHENTICATED, metadata };
}

describe('the clock of a service', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is learned for all who were refused, and by the copy that is furthest ahead', () => {
    const clock = new CalleeClock();
    const signed = clock.aheadMs;
    expect([clock.learn(refusal(MINUTE), signed), clock.learn(refusal(MINUTE), signed)]).toEqual([true, true]);
    expect(clock.learn(refusal(5 * MINUTE), MINUTE)).toBe(true);
    expect(clock.learn(refusal(MINUTE), 5 * MINUTE)).toBe(false);
    expect([clock.aheadMs, clock.isKnown]).toEqual([5 * MINUTE, true]);
  });

  it('is asked for again after a while, whoever looks first, and not taken for known by a call of before', () => {
    const clock = new CalleeClock();
    clock.learn(refusal(5 * MINUTE), 0);
    jest.advanceTimersByTime(11 * MINUTE);
    expect([clock.aheadMs, clock.isKnown]).toEqual([0, false]);
    clock.agrees(5 * MINUTE);
    expect(clock.isKnown).toBe(false);
    clock.agrees(0);
    expect(clock.isKnown).toBe(true);
  });

  it('is not believed when it is far off, nor when the refusal is for something else', () => {
    const clock = new CalleeClock();
    expect(clock.learn(refusal(40 * MINUTE), 0)).toBe(false);
    expect(clock.learn({ ...refusal(MINUTE), code: status.UNAVAILABLE }, 0)).toBe(false);
    expect(clock.aheadMs).toBe(0);
  });
});
