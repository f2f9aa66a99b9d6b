import { describe, expect, it } from '@jest/globals';
import { OffsetTracker } from './offset-tracker.js';

describe('OffsetTracker', () => {
  it('commits only what is complete without a gap', () => {
    const tracker = new OffsetTracker();
    for (const offset of [5, 6, 7]) tracker.add(offset, 1);
    tracker.complete(6);
    expect(tracker.takePosition()).toBe(5);
    tracker.complete(5);
    expect(tracker.takePosition()).toBe(7);
    tracker.complete(7);
    expect(tracker.takePosition()).toBe(8);
  });

  it('says nothing when nothing changed', () => {
    const tracker = new OffsetTracker();
    expect(tracker.takePosition()).toBeUndefined();
    tracker.add(0, 1);
    tracker.complete(0);
    expect(tracker.takePosition()).toBe(1);
    expect(tracker.takePosition()).toBeUndefined();
  });

  it('says a position again that could not be stored', () => {
    const tracker = new OffsetTracker();
    tracker.add(0, 1);
    tracker.complete(0);
    tracker.putBack(tracker.takePosition()!);
    expect(tracker.takePosition()).toBe(1);
  });

  it('knows how many bytes are not complete', () => {
    const tracker = new OffsetTracker();
    tracker.add(0, 10);
    tracker.add(1, 5);
    tracker.complete(0);
    tracker.complete(0);
    expect(tracker.bytesInFlight).toBe(5);
  });
});
