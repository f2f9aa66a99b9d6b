import { describe, expect, it } from '@jest/globals';
import { averagePrecision, ndcgAt, recallAt } from './metrics.js';
import { asTable, failures, parseThreshold, summarise } from './report.js';

const judgements = new Map([
  ['a', 2],
  ['b', 1],
  ['c', 0],
]);

describe('metrics, against values worked out by hand', () => {
  it('nDCG: (1/log2 2 + 2/log2 4) / (2/log2 2 + 1/log2 3)', () => {
    expect(ndcgAt(10, ['b', 'c', 'a'], judgements)).toBeCloseTo(2 / (2 + 1 / Math.log2(3)), 12);
    expect(ndcgAt(10, ['b', 'c', 'a'], judgements)).toBeCloseTo(0.760188, 6);
    expect(ndcgAt(2, ['b', 'c', 'a'], judgements)).toBeCloseTo(0.380094, 6);
    expect(ndcgAt(10, ['a', 'b'], judgements)).toBe(1);
    expect(ndcgAt(10, [], judgements)).toBe(0);
    expect(ndcgAt(10, ['a'], new Map())).toBe(0);
  });

  it('average precision: (1/1 + 2/3) / 2', () => {
    expect(averagePrecision(['b', 'c', 'a'], judgements)).toBeCloseTo(5 / 6, 12);
    expect(averagePrecision(['x', 'a'], judgements)).toBeCloseTo(1 / 4, 12);
  });

  it('recall counts relevant documents only', () => {
    expect(recallAt(2, ['b', 'c', 'a'], judgements)).toBe(0.5);
    expect(recallAt(100, ['b', 'c', 'a'], judgements)).toBe(1);
  });
});

describe('report', () => {
  const query = { id: '1', text: 'q', judgements };
  const report = summarise('lexical', [
    { query, ranked: ['a', 'b'], milliseconds: 4 },
    { query, ranked: [], milliseconds: 2 },
  ]);

  it('averages over all queries, also those that found nothing', () => {
    expect(report).toMatchObject({ mode: 'lexical', queries: 2, 'ndcg@10': 0.5, map: 0.5, 'recall@100': 0.5 });
    expect(asTable([report])).toMatch(/^configuration +queries +ndcg@10.*\nlexical +2 +0\.5000/);
  });

  it('names the floors that were missed or not measured', () => {
    const floors = ['lexical.ndcg@10=.5', 'lexical.map=.6', 'dense.map=0.1'].map(parseThreshold);
    expect(failures([report], floors)).toEqual([
      'lexical.map is 0.5000; 0.6 is required.',
      'dense.map was not measured; 0.1 is required.',
    ]);
    expect(() => parseThreshold('lexical.mrr=1')).toThrow(/--min lexical\.mrr=1/);
  });
});
