import { describe, expect, it } from '@jest/globals';
import { RelayPass } from './relay-pass.js';

const at = ['events', 3] as const;

/** Waits of a relay whose bus refuses one partition so many times in a row. */
function waits(pass: RelayPass, times: number): number[] {
  let now = 0;
  return Array.from({ length: times }, () => {
    pass.failed(...at, now);
    const wait = pass.reachedEnd(now)!;
    now += wait;
    pass.release(now);
    expect(pass.isHeldBack(...at)).toBe(false);
    return wait;
  });
}

describe('a pass of the relay', () => {
  it('is never interrupted while the bus takes everything', () => {
    const pass = new RelayPass();
    pass.lookedAt(500, 0);
    pass.went(...at, 0);
    expect(pass.reachedEnd(0)).toBeUndefined();
    expect(pass.isInterrupted).toBe(false);
  });

  it('tries a partition again after a while that grows, up to seconds, and is short again after it took something', () => {
    const pass = new RelayPass();
    expect(waits(pass, 6)).toEqual([500, 1_000, 2_000, 2_000, 2_000, 2_000]);
    expect(pass.isSuspect(...at)).toBe(true);
    pass.went(...at, 0);
    expect(pass.isSuspect(...at)).toBe(false);
    expect(waits(pass, 1)).toEqual([500]);
  });

  it('holds back what failed, and nothing else, and goes back to the oldest row when it lets go', () => {
    const pass = new RelayPass();
    pass.lookedAt(500, 0);
    pass.failed(...at, 0);
    pass.reachedEnd(0);
    expect([pass.isHeldBack(...at), pass.isHeldBack('events', 4), pass.isHeldBack('other', 3)]).toEqual([
      true,
      false,
      false,
    ]);
    pass.release(499);
    expect([pass.isHeldBack(...at), pass.after]).toEqual([true, 500]);
    pass.release(500);
    expect([pass.isHeldBack(...at), pass.after]).toEqual([false, 0]);
  });

  it('holds back what was not answered until it is, even where all is begun anew', () => {
    const pass = new RelayPass();
    pass.awaitAnswer(...at, 0);
    pass.failed('events', 4, 0);
    pass.lookedAt(500, 0);
    pass.beginAnew();
    expect([pass.isHeldBack(...at), pass.isHeldBack('events', 4), pass.after]).toEqual([true, false, 0]);
    pass.release(60_000);
    expect(pass.isHeldBack(...at)).toBe(true);
    pass.went(...at, 60_000);
    expect(pass.isHeldBack(...at)).toBe(true);
    pass.release(60_000);
    expect(pass.isHeldBack(...at)).toBe(false);
  });

  it('goes back to the oldest row now and then, for what committed late, while an answer is awaited', () => {
    const pass = new RelayPass();
    pass.awaitAnswer(...at, 0);
    pass.lookedAt(500, 0);
    expect(pass.reachedEnd(0)).toBe(2_000);
    expect([pass.reachedEnd(2_000), pass.after, pass.isHeldBack(...at)]).toEqual([0, 0, true]);
    expect(pass.reachedEnd(2_000)).toBe(2_000);
  });

  it('tries none again before it has been through what waits, unless it published much of others', () => {
    const pass = new RelayPass();
    pass.failed(...at, 0);
    pass.lookedAt(500, 9_999);
    pass.release(60_000);
    expect([pass.isHeldBack(...at), pass.after]).toEqual([true, 500]);
    pass.lookedAt(600, 1);
    pass.release(60_000);
    expect([pass.isHeldBack(...at), pass.after]).toEqual([false, 0]);
    pass.failed(...at, 60_000);
    pass.lookedAt(500, 0);
    pass.release(120_000);
    expect(pass.isHeldBack(...at)).toBe(true);
    pass.reachedEnd(60_000);
    pass.release(120_000);
    expect(pass.isHeldBack(...at)).toBe(false);
  });

  it('waits for none that was late last, and gives it no less, until it answers in time', () => {
    const pass = new RelayPass();
    pass.went(...at, 700, true);
    expect([pass.isPrompt(...at), pass.isSuspect(...at), pass.isPrompt('events', 4)]).toEqual([false, false, true]);
    pass.went(...at, 900);
    expect(pass.isPrompt(...at)).toBe(true);
    pass.failed(...at, 900);
    expect(pass.isPrompt(...at)).toBe(false);
  });
});
