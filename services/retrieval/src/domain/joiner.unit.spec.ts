import { describe, expect, it } from '@jest/globals';
import { joinLegs } from './joiner.js';
import { point } from './points.fixture.js';
import { parseSearchQuery } from './search-query.js';

const query = (fields: object = {}) =>
  parseSearchQuery({ query: 'bees', collection: '', mode: '', topK: 0, ...fields }, 0.6);
const dense = [point('a', 0.9), point('b', 0.5), point('c', 0.1)];
const lexical = [point('b', 12), point('d', 2)];
const scores = (points: readonly { pointId: string; score: number }[]) =>
  points.map(({ pointId, score }) => [pointId, Number(score.toFixed(3))]);

describe('joinLegs', () => {
  it('ranks by reciprocal ranks when asked, on the same scale from 0 to 1', () => {
    const scored = [...lexical, point('c', 0)];
    const joined = joinLegs({ dense, lexical: scored, missing: null }, query({ fusion: 'rrf' }));
    const expected = [['b', (61 / 62 + 1) / 2], ['a', 0.5], ['d', 61 / 62 / 2], ['c', 61 / 63 / 2]]; // prettier-ignore
    expect(joined.map(({ pointId }) => pointId)).toEqual(expected.map(([id]) => id));
    joined.forEach(({ score }, at) => expect(score).toBeCloseTo(expected[at]![1] as number, 9));
    const alone = joinLegs({ dense: [], lexical, missing: 'dense' }, query({ fusion: 'rrf' }));
    expect(alone[0]!.score).toBe(1);
  });

  it('weighs normalised scores by alpha in hybrid mode', () => {
    const joined = joinLegs({ dense, lexical, missing: null }, query());
    expect(scores(joined)).toEqual([['b', 0.7], ['a', 0.6], ['c', 0], ['d', 0]]); // prettier-ignore
    expect(joined[0]).toMatchObject({ dense: 0.5, lexical: 12 });
  });

  it.each([
    ['dense', lexical, ['b', 'd']],
    ['lexical', dense, ['a', 'b', 'c']],
  ] as const)('keeps the scale from 0 to 1 when the %s leg is missing', (missing, left, order) => {
    const legs = missing === 'dense' ? { dense: [], lexical: left } : { dense: left, lexical: [] };
    const joined = joinLegs({ ...legs, missing }, query());
    expect(joined.map(({ pointId }) => pointId)).toEqual(order);
    expect(joined[0]!.score).toBe(1);
    expect(joined.at(-1)!.score).toBe(0);
  });

  it('keeps the scores of the leg itself in a single-leg mode', () => {
    const only = { missing: null };
    expect(scores(joinLegs({ ...only, dense, lexical: [] }, query({ mode: 'dense' })))[0]).toEqual(['a', 0.9]);
    expect(scores(joinLegs({ ...only, dense: [], lexical }, query({ mode: 'lexical' })))[0]).toEqual(['b', 12]);
  });

  it('drops the old version of a document that only the other leg saw anew', () => {
    const old = point('a1', 0.9, { documentId: 'a', version: 1 });
    const fresh = point('a2', 3, { documentId: 'a', version: 2 });
    const joined = joinLegs({ dense: [old, point('b', 0.5)], lexical: [fresh], missing: null }, query());
    expect(joined.map(({ pointId }) => pointId).sort()).toEqual(['a2', 'b']);
  });
});
