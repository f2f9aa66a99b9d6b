import { describe, expect, it } from '@jest/globals';
import { point } from './points.fixture.js';
import { fuseLists } from './rank-lists.js';
import type { FusedPoint, ScoredPoint } from './scored-point.js';

const found = (pointId: string, dense: number, more: Partial<ScoredPoint> = {}): FusedPoint => ({
  ...point(pointId, dense, more),
  dense,
  lexical: null,
});

describe('one list out of those of several wordings', () => {
  it('leaves a single list as it is', () => {
    const list = [found('a', 0.9), found('b', 0.2)];
    expect(fuseLists([list])).toEqual(list);
  });

  it('ranks by reciprocal ranks, as a share of being first everywhere', () => {
    const fused = fuseLists([
      [found('a', 0.9), found('b', 0.8)],
      [found('b', 0.7), found('c', 0.6)],
    ]);
    expect(fused.map(({ pointId }) => pointId)).toEqual(['b', 'a', 'c']);
    expect(fused[0]!.score).toBeCloseTo((61 / 62 + 1) / 2, 9);
    expect(fused[1]!.score).toBeCloseTo(0.5, 9);
    expect(fused[0]!.dense).toBe(0.8);
    const first = fuseLists([[found('a', 1)], [found('a', 1)]]);
    expect(first[0]!.score).toBeCloseTo(1, 9);
  });

  it('takes the text from whichever list has it', () => {
    const fused = fuseLists([[found('a', 0.9, { text: '', ordinal: -1 })], [found('a', 0.5, { text: 'read' })]]);
    expect(fused[0]).toMatchObject({ text: 'read', dense: 0.9, ordinal: 0 });
  });

  it('keeps one version of a document across the lists', () => {
    const old = found('a1', 0.9, { documentId: 'a', version: 1 });
    const fresh = found('a2', 0.5, { documentId: 'a', version: 2 });
    expect(fuseLists([[old], [fresh]]).map(({ pointId }) => pointId)).toEqual(['a2']);
  });
});
