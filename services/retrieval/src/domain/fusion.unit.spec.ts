import { describe, expect, it } from '@jest/globals';
import { candidateCount, fuseByReciprocalRank, fuseByWeightedSum } from './fusion.js';
import { point, randomLegs, seeded } from './points.fixture.js';

const ids = (points: readonly { pointId: string }[]) => points.map(({ pointId }) => pointId);

describe('candidateCount', () => {
  it.each([
    [1, 100],
    [10, 100],
    [30, 150],
    [100, 200],
    [500, 500],
  ])('for top_k %i fetches %i per leg', (topK, expected) => expect(candidateCount(topK)).toBe(expected));
});

describe('fuseByWeightedSum', () => {
  it('weighs the normalised legs and counts a leg that missed a point as 0', () => {
    const fused = fuseByWeightedSum({
      dense: [point('a', 0.9), point('b', 0.6), point('c', 0.4)],
      lexical: [point('b', 12), point('d', 7), point('a', 2)],
    });
    expect(Object.fromEntries(fused.map(({ pointId, score }) => [pointId, Number(score.toFixed(6))]))).toEqual({
      a: 0.6,
      b: 0.64,
      c: 0,
      d: 0.2,
    });
    expect(ids(fused)).toEqual(['b', 'a', 'd', 'c']);
    expect(fused[0]).toMatchObject({ dense: 0.6, lexical: 12 });
    expect(fused[2]).toMatchObject({ dense: null, lexical: 7 });
  });

  it('counts a single result, and equal scores, as fully found', () => {
    expect(fuseByWeightedSum({ dense: [point('a', 0.1)], lexical: [] })[0]!.score).toBeCloseTo(0.6);
    const equal = fuseByWeightedSum({ dense: [], lexical: [point('b', 3), point('a', 3)] });
    expect(ids(equal)).toEqual(['a', 'b']);
    expect(equal.map(({ score }) => score)).toEqual([0.4, 0.4]);
  });

  it('gives nothing for words where no hit has a word of the question', () => {
    const dense = [point('a', 0.9), point('b', 0.5), point('c', 0.4)];
    const fused = fuseByWeightedSum({ dense, lexical: dense.map((hit) => ({ ...hit, score: 0 })) });
    expect(fused.map(({ score }) => Number(score.toFixed(6)))).toEqual([0.6, 0.12, 0]);
    expect(fused[0]).toMatchObject({ pointId: 'a', dense: 0.9, lexical: 0 });
  });

  it('gives nothing for two empty legs', () => expect(fuseByWeightedSum({ dense: [], lexical: [] })).toEqual([]));

  it('keeps the order of the only leg, or of the only one that counts', () => {
    const random = seeded(7);
    for (let round = 0; round < 50; round++) {
      const { dense, lexical } = randomLegs(random);
      expect(ids(fuseByWeightedSum({ dense, lexical: [] }))).toEqual(ids(dense));
      expect(ids(fuseByWeightedSum({ dense: [], lexical }))).toEqual(ids(lexical));
    }
  });
});

describe.each([
  ['weighted sum', fuseByWeightedSum],
  ['reciprocal rank', fuseByReciprocalRank],
])('fusion by %s', (_, fuse) => {
  it('returns each point once, best first, and never ranks a point above one that is better in both legs', () => {
    const random = seeded(42);
    for (let round = 0; round < 100; round++) {
      const legs = randomLegs(random);
      const fused = fuse(legs);
      const union = new Set([...ids(legs.dense), ...ids(legs.lexical)]);
      expect(new Set(ids(fused))).toEqual(union);
      expect(fused).toHaveLength(union.size);
      fused.slice(1).forEach((later, before) => {
        const earlier = fused[before]!;
        expect(earlier.score).toBeGreaterThanOrEqual(later.score);
        const isDominated =
          later.dense !== null &&
          later.lexical !== null &&
          later.dense > (earlier.dense ?? -1) &&
          later.lexical > (earlier.lexical ?? -1);
        expect(isDominated).toBe(false);
      });
    }
  });
});

describe('fuseByReciprocalRank', () => {
  it('adds 1 / (60 + rank) over the legs', () => {
    const fused = fuseByReciprocalRank({ dense: [point('a', 0.9), point('b', 0.8)], lexical: [point('b', 5)] });
    expect(fused.map(({ pointId, score }) => [pointId, score])).toEqual([
      ['b', 1 / 62 + 1 / 61],
      ['a', 1 / 61],
    ]);
  });
});
