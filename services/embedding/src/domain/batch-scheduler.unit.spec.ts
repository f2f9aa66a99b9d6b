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

  it('lets the text of a tenant wait for one batch of another one, however much that one has queued', () => {
    const queue = new BatchScheduler<{ tokens: number; tenant: string }>({ texts: 8, tokens: 512 });
    queue.add(
      Array.from({ length: 10_000 }, () => ({ tokens: 16, tenant: 'a' })),
      'batch',
    );
    queue.next('batch');
    const late = { tokens: 200, tenant: 'b' };
    queue.add([late], 'batch');
    const batches = [queue.next('batch'), queue.next('batch')];
    expect(batches.findIndex((batch) => batch?.includes(late))).toBeLessThanOrEqual(1);
    expect(queue.count('batch')).toBe(10_001 - 8 - batches.flat().length);
  });

  it('lets all texts of a small document pass, and then shares alike', () => {
    const queue = new BatchScheduler<{ tokens: number; tenant: string }>({ texts: 2, tokens: 512 });
    const texts = (count: number, tenant: string) => Array.from({ length: count }, () => ({ tokens: 200, tenant }));
    queue.add(texts(1000, 'a'), 'batch');
    for (let batch = 0; batch < 20; batch += 1) queue.next('batch');
    queue.add(texts(6, 'b'), 'batch');
    const firstOnes = Array.from({ length: 4 }, () => queue.next('batch')!).flat();
    expect(firstOnes.filter(({ tenant }) => tenant === 'b')).toHaveLength(6);
    queue.add(texts(900, 'b'), 'batch');
    const shared = Array.from({ length: 400 }, () => queue.next('batch')!).flat();
    const share = shared.filter(({ tenant }) => tenant === 'b').length / shared.length;
    expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
  });

  it('starves nobody, however many come that were never served', () => {
    const queue = new BatchScheduler<{ tokens: number; tenant: string }>({ texts: 1, tokens: 512 });
    queue.add(
      Array.from({ length: 100 }, () => ({ tokens: 100, tenant: 'a' })),
      'batch',
    );
    let served = 0;
    for (let round = 0; round < 200; round += 1) {
      queue.add([{ tokens: 100, tenant: `new-${round}` }], 'batch');
      if (queue.next('batch')![0]!.tenant === 'a') served += 1;
    }
    expect(served).toBeGreaterThan(10);
  });

  it('merges texts of several tenants', () => {
    const queue = new BatchScheduler<{ tokens: number; tenant: string }>({ texts: 8, tokens: 512 });
    for (const tenant of ['a', 'b', 'c', 'd'])
      queue.add(
        [
          { tokens: 10, tenant },
          { tokens: 12, tenant },
        ],
        'query',
      );
    expect(queue.next('query')).toHaveLength(8);
    expect(queue.size).toBe(0);
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
