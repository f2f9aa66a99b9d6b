import { describe, expect, it } from '@jest/globals';
import { leadingHits } from './leading-hits.js';

const hits = [
  { id: 'meaning', dense: 0.9, lexical: 0 },
  { id: 'words', dense: 0.1, lexical: 12 },
  { id: 'both', dense: 0.8, lexical: 9 },
  { id: 'no vector', lexical: 3 },
];
const ids = (alpha: number, count: number): string[] => leadingHits(hits, alpha, count).map(({ id }) => id);

describe('the leading hits of a hybrid search', () => {
  it.each([
    [1, ['meaning', 'both']],
    [0, ['words', 'both']],
    [0.5, ['both', 'words']],
  ])('with weight %d on meaning are the best by it', (alpha, expected) => {
    expect(ids(alpha, 2)).toEqual(expected);
  });

  it('are none when none are wanted, and all when more are wanted than there are', () => {
    expect(ids(0.6, 0)).toEqual([]);
    expect(ids(0.6, 10)).toHaveLength(4);
    expect(leadingHits([], 0.6, 10)).toEqual([]);
  });
});
