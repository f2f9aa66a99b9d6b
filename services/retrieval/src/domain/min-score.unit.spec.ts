import { describe, expect, it } from '@jest/globals';
import { joinLegs } from './joiner.js';
import { reaches } from './min-score.js';
import { point } from './points.fixture.js';

describe('the least score of a result', () => {
  const found = (dense: number[], missing: 'dense' | null = null) =>
    joinLegs(
      {
        dense: missing === 'dense' ? [] : dense.map((score, at) => point(`p${at}`, score)),
        lexical: dense.map((_, at) => point(`p${at}`, 3 - at)),
        missing,
      },
      { mode: 'hybrid', alpha: 0.6 },
    );
  const results = (points: ReturnType<typeof found>, minScore?: number, isRelative = true) =>
    points.filter((each) => reaches(each, { minScore, isRelative })).map(({ pointId }) => pointId);

  it('leaves nothing where nothing is about the question, although the best of it leads', () => {
    const off = found([0.08, 0.05, 0.01]);
    expect(off[0]!.score).toBeCloseTo(1);
    expect(results(off, 0.3)).toEqual([]);
    expect(results(found([0.7, 0.5, 0.1]), 0.3)).toEqual(['p0', 'p1']);
  });

  it('leaves everything where it is not given, or 0, and what just reaches it', () => {
    expect(results(found([0.08, -0.05]))).toEqual(['p0', 'p1']);
    expect(results(found([0.08, -0.05]), 0)).toEqual(['p0', 'p1']);
    const own = joinLegs(
      { dense: [point('a', 0.5), point('b', 0.4)], lexical: [], missing: null },
      { mode: 'dense', alpha: 1 },
    );
    expect(results(own, 0.5, false)).toEqual(['a']);
  });

  it('is compared with the score alone where that is no comparison with others, and where there is no cosine', () => {
    expect(results(found([0.08, 0.05]), 0.3, false)).toEqual(['p0']);
    expect(results(found([0.08, 0.05], 'dense'), 0.3)).toEqual(['p0']);
  });
});
