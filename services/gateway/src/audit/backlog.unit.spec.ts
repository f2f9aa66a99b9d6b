import { describe, expect, it } from '@jest/globals';
import { Backlog } from './backlog.js';

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('a backlog', () => {
  it('gives what came first, and takes it back to its place', () => {
    const backlog = new Backlog<number>(10);
    for (const number of numbers(0, 5)) backlog.add(number);
    const taken = backlog.take(3);
    expect(taken).toEqual([0, 1, 2]);
    backlog.add(5);
    backlog.putBack(taken);
    expect(backlog.take(10)).toEqual(numbers(0, 6));
    expect(backlog.size).toBe(0);
  });

  it('gives up the oldest of too many, and says how many', () => {
    const backlog = new Backlog<number>(10);
    for (const number of numbers(0, 100)) {
      backlog.add(number);
      expect(backlog.size).toBeLessThanOrEqual(11);
    }
    const taken = backlog.take(10);
    for (const number of numbers(100, 110)) backlog.add(number);
    backlog.putBack(taken);
    expect(backlog.size).toBe(10);
    expect(backlog.countGivenUp()).toBe(100);
    expect(backlog.countGivenUp()).toBe(0);
    expect(backlog.take(10)).toEqual(numbers(100, 110));
  });

  it('takes back more than a call has room for', () => {
    const backlog = new Backlog<number>(1_000_000);
    backlog.putBack(numbers(0, 500_000));
    expect(backlog.size).toBe(500_000);
  });
});
