import { describe, expect, it } from '@jest/globals';
import { scopeOf, type IncomingCall } from './call-scope.js';

const calledWith = (deadline: Date | number): IncomingCall => ({
  cancelled: false,
  getDeadline: () => deadline,
  on: () => undefined,
});
const secondsOf = (deadline: Date | number): number => scopeOf(calledWith(deadline)).deadline.remainingMs / 1000;

describe('the time of a call', () => {
  it('is what its caller gives it, however long that is', () => {
    expect(secondsOf(new Date(Date.now() + 900_000))).toBeGreaterThan(890);
    expect(secondsOf(Date.now() + 5_000)).toBeLessThanOrEqual(5);
    expect(secondsOf(Date.now() - 1)).toBe(0);
  });

  it('is two minutes when its caller sets none', () => {
    expect(Math.round(secondsOf(Infinity))).toBe(120);
  });
});
