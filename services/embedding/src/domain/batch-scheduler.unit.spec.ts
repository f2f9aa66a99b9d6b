import { describe, expect, it } from '@jest/globals';
import { BatchScheduler } from './batch-scheduler.js';

const lengths = (batch: readonly { tokens: number }[] | undefined): number[] | undefined =>
  batch?.map(({ tokens }) => tokens);
const textsOf = (...tokens: number[]): { tokens: number }[] => tokens.map((count) => ({ tokens: count }));
const scheduler = (): BatchScheduler<{ tokens: number }> => new BatchScheduler({ texts: 8, tokens: 512 });

describe('batching', () => {
  it('merges texts of several requests and keeps within the number of texts', () => {
    const queue = scheduler();
    for (let request = 0; request < 5; request++) queue.add(textsOf(10, 10), 'query');
    expect(queue.next('query')).toHaveLength(8);
    expect(queue.next('query')).toHaveLength(2);
    expect(queue.next('query')).toBeUndefined();
  });

  it('puts texts of similar length together and counts padding against the limit', () => {
    const queue = scheduler();
    queue.add(textsOf(250, 20, 240, 30, 126, 128, 124, 125), 'batch');
    const batches = [queue.next('batch'), queue.next('batch'), queue.next('batch')];
    expect(batches.map(lengths)).toEqual([
      [240, 250],
      [124, 125, 126, 128],
      [20, 30],
    ]);
    expect(queue.size).toBe(0);
  });

  it('serves the oldest text first, however odd its length', () => {
    const queue = scheduler();
    queue.add(textsOf(256), 'batch');
    queue.add(textsOf(...Array<number>(1000).fill(16)), 'batch');
    expect(lengths(queue.next('batch'))).toContain(256);
  });

  it('lets a text beyond the token limit through alone', () => {
    const queue = new BatchScheduler({ texts: 8, tokens: 100 });
    queue.add(textsOf(200, 200), 'batch');
    expect(lengths(queue.next('batch'))).toEqual([200]);
  });

  it('keeps queries apart from batch work', () => {
    const queue = scheduler();
    queue.add(textsOf(100, 100), 'batch');
    queue.add(textsOf(12), 'query');
    expect(queue.has('query')).toBe(true);
    expect(lengths(queue.next('query'))).toEqual([12]);
    expect(queue.has('query')).toBe(false);
    expect(queue.size).toBe(2);
  });

  it('forgets what is removed', () => {
    const queue = scheduler();
    queue.add(textsOf(1, 2, 3), 'batch');
    expect(lengths(queue.remove(({ tokens }) => tokens > 1))).toEqual([3, 2]);
    expect(lengths(queue.next('batch'))).toEqual([1]);
  });

  it('hands out every text exactly once', () => {
    const queue = scheduler();
    const texts = textsOf(...Array.from({ length: 3000 }, (_, at) => 2 + ((at * 97) % 255)));
    queue.add(texts, 'batch');
    const seen = new Set<object>();
    for (let batch = queue.next('batch'); batch; batch = queue.next('batch')) {
      expect(batch.length * Math.max(...batch.map(({ tokens }) => tokens))).toBeLessThanOrEqual(512);
      for (const text of batch) seen.add(text);
    }
    expect(seen.size).toBe(texts.length);
  });
});
