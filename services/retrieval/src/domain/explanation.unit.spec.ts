import { describe, expect, it } from '@jest/globals';
import { explain, type SearchSteps } from './explanation.js';
import { point } from './points.fixture.js';
import type { FusedPoint } from './scored-point.js';

const fused = (pointId: string, score: number): FusedPoint => ({
  ...point(pointId, score),
  dense: score,
  lexical: null,
});
const [a, b, c, d, e, f] = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, at) => fused(id, 1 - at / 10)) as [
  FusedPoint, FusedPoint, FusedPoint, FusedPoint, FusedPoint, FusedPoint]; // prettier-ignore

const steps: SearchSteps = {
  legs: [{ dense: [point('b', 0.8), point('a', 0.9), point('old', 0.7)], lexical: [point('a', 3), point('b', 0)] }],
  fused: [a, b, c, d, e, f],
  reranked: undefined,
  least: { minScore: undefined, isRelative: true },
  cut: [a, c, d],
  supported: [a, c],
  results: [a],
};

describe('an explanation', () => {
  it('says of each result its rank in each leg and its scores', () => {
    const reranked = [{ ...a, score: 0.3 }];
    const { places } = explain({ ...steps, reranked }, { mmr: undefined, topK: 3 });
    expect(places).toEqual({ a: { denseRank: 1, lexicalRank: 1, fusedScore: 1, rerankScore: 0.3 } });
  });

  it('says of each other candidate why it is none', () => {
    const least = { minScore: 0.6, isRelative: true };
    const { dropped } = explain({ ...steps, least }, { mmr: 0.5, topK: 3 });
    expect(dropped.map(({ id, reason }) => [id, reason])).toEqual([
      ['old', 'version'],
      ['b', 'mmr'],
      ['c', 'merged'],
      ['d', 'self_check'],
      ['e', 'top_k'],
      ['f', 'min_score'],
    ]);
  });

  it('counts no rank for a passage without a word of the question', () => {
    const { places } = explain({ ...steps, results: [b] }, { mmr: undefined, topK: 3 });
    expect(places['b']).toMatchObject({ denseRank: 2, lexicalRank: null, rerankScore: null });
  });

  it('takes the ranks of the earliest wording that found it, and what any of them found in an old version', () => {
    const other = { dense: [point('a', 0.9), point('e', 0.8), point('stale', 0.7)], lexical: [point('e', 2)] };
    const legs = [...steps.legs, other];
    const { places, dropped } = explain({ ...steps, legs, results: [b, e] }, { mmr: undefined, topK: 3 });
    expect(places['b']).toMatchObject({ denseRank: 2, lexicalRank: null });
    expect(places['e']).toMatchObject({ denseRank: 2, lexicalRank: 1 });
    const old = dropped.filter(({ reason }) => reason === 'version').map(({ id }) => id);
    expect(old).toEqual(['old', 'stale']);
  });

  it('tells of at most a hundred', () => {
    const many = Array.from({ length: 150 }, (_, at) => fused(`p${at}`, 1 - at / 200));
    const long = { ...steps, legs: [], fused: many, cut: [], supported: [], results: [] };
    expect(explain(long, { mmr: undefined, topK: 10 }).dropped).toHaveLength(100);
  });
});
