import { describe, expect, it } from '@jest/globals';
import { TurnQueue } from './turn-queue.js';

describe('a queue of several lines', () => {
  const queued = (...items: string[]): TurnQueue<string> => {
    const queue = new TurnQueue<string>();
    for (const item of items) queue.push(item[0]!, item);
    return queue;
  };

  it('serves the lines in turn, each in its own order', () => {
    const queue = queued('a1', 'a2', 'a3', 'b1', 'c1', 'c2');
    const served = Array.from({ length: 6 }, () => queue.shift());
    expect(served).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    expect(queue.isEmpty).toBe(true);
    expect(queue.shift()).toBeUndefined();
  });

  it('lets who comes late wait for one item of a long line only', () => {
    const queue = queued(...Array.from({ length: 10_000 }, (_, at) => `a${at}`));
    expect(queue.shift()).toBe('a0');
    queue.push('b', 'b0');
    expect([queue.shift(), queue.shift()]).toEqual(['a1', 'b0']);
  });

  it('passes over a line that may not go, without taking its turn away', () => {
    const queue = queued('a1', 'b1');
    expect(queue.shift((line) => line !== 'a')).toBe('b1');
    expect(queue.shift((line) => line !== 'a')).toBeUndefined();
    expect(queue.shift()).toBe('a1');
  });

  it('forgets who leaves', () => {
    const queue = queued('a1', 'a2');
    expect(queue.remove('a', 'a1')).toBe(true);
    expect(queue.remove('a', 'a1')).toBe(false);
    expect([queue.shift(), queue.shift()]).toEqual(['a2', undefined]);
  });
});
