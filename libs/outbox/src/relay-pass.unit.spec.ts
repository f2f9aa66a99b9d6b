import { describe, expect, it } from '@jest/globals';
import { RelayPass } from './relay-pass.js';

/** Waits of a relay whose bus refuses one partition in each of so many passes. */
function waits(pass: RelayPass, passes: number): number[] {
  let now = 0;
  return Array.from({ length: passes }, () => {
    pass.holdBack('events', 3, now);
    const wait = pass.reachedEnd(now)!;
    now += wait;
    expect(pass.reachedEnd(now)).toBe(0);
    return wait;
  });
}

describe('a pass of the relay', () => {
  it('is never interrupted while the bus takes everything', () => {
    const pass = new RelayPass();
    pass.lookedAt(500);
    expect(pass.reachedEnd(0)).toBeUndefined();
    expect(pass.isInterrupted).toBe(false);
  });

  it('begins anew after a while that grows, up to seconds, and is short again after a pass without a failure', () => {
    const pass = new RelayPass();
    expect(waits(pass, 6)).toEqual([500, 1_000, 2_000, 2_000, 2_000, 2_000]);
    pass.reachedEnd(0);
    expect(waits(pass, 1)).toEqual([500]);
  });

  it('holds back what failed, and nothing else, until it begins anew with the oldest row', () => {
    const pass = new RelayPass();
    pass.lookedAt(500);
    pass.holdBack('events', 3, 0);
    expect([pass.isHeldBack('events', 3), pass.isHeldBack('events', 4), pass.isHeldBack('other', 3)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(pass.after).toBe(500);
    expect(pass.reachedEnd(10_000)).toBe(0);
    expect([pass.isHeldBack('events', 3), pass.after]).toEqual([false, 0]);
  });
});
