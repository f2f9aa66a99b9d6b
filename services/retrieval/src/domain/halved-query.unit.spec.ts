import { describe, expect, it } from '@jest/globals';
import { comparedCandidates, halved } from './halved-query.js';
import { parseSearchQuery } from './search-query.js';

const asking = (topK: number) => parseSearchQuery({ query: 'why', collection: '', topK }, 0.6);

describe('a question that is to take less work', () => {
  it.each([
    ['the usual number', 0, 5],
    ['an odd number, rounded up', 5, 3],
    ['a number of the caller', 100, 50],
    ['two', 2, 1],
  ])('is answered from half of its chunks: %s', (_, topK, half) => {
    expect(halved(asking(topK))).toEqual({ ...asking(topK), topK: half, isHalved: true });
  });

  it('is as it is where one chunk is all it wants', () => {
    expect(halved(asking(1))).toBeUndefined();
  });

  it('has half as many candidates compared by their text, and none fewer than its chunks', () => {
    expect([asking(10), halved(asking(10))!].map(comparedCandidates)).toEqual([50, 25]);
    expect([asking(80), halved(asking(80))!].map(comparedCandidates)).toEqual([80, 40]);
  });
});
