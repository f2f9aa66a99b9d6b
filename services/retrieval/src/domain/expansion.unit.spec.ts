import { describe, expect, it } from '@jest/globals';
import { expand, neighboursOf } from './expansion.js';
import { point, seeded } from './points.fixture.js';
import type { FusedPoint } from './scored-point.js';

const text = 'The first part says hello. The second part overlaps it. The third part follows. The fourth ends.';
const bounds = [
  [0, 27],
  [20, 56],
  [56, 80],
  [80, text.length],
] as const;
const chunk = (ordinal: number, score = 1): FusedPoint => {
  const [start, end] = bounds[ordinal]!;
  const place = { documentId: 'd', ordinal, start, end, text: text.slice(start, end) };
  return { ...point(`c${ordinal}`, score, place), dense: score, lexical: null };
};

describe('neighboursOf', () => {
  it('asks for both sides, back to where a heading may be, not below 0, not for what is there, once per document', () => {
    const other = { ...chunk(3), ordinal: 5, documentId: 'e', pointId: 'e5' };
    expect(neighboursOf([chunk(0), other, chunk(2)])).toEqual([
      { documentId: 'd', version: 1, pointId: 'c0', ordinals: [1, 3] },
      { documentId: 'e', version: 1, pointId: 'e5', ordinals: [2, 3, 4, 6] },
    ]);
  });
});

describe('expand', () => {
  it('joins overlapping and touching chunks into one result with the place of the best', () => {
    const [only, ...rest] = expand([chunk(2, 0.9), chunk(0, 0.3)], [chunk(1), chunk(3)]);
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ pointId: 'c2', score: 0.9, text, start: 0, end: text.length });
  });

  it('leaves out a neighbour behind a gap', () => {
    expect(expand([chunk(0)], [chunk(2)])).toEqual([chunk(0)]);
    const behindGap = { ...chunk(1), start: 30, text: text.slice(30, 56) };
    expect(expand([chunk(0)], [behindGap])).toEqual([chunk(0)]);
  });

  it('reaches back to the heading a result stands under, and no further than its section', () => {
    const under = (ordinal: number, heading: string | null) => ({ ...chunk(ordinal), heading });
    const section = [under(0, 'Hello'), under(1, 'Hello'), under(2, 'Hello')];
    expect(expand([under(3, 'Hello')], section)[0]).toMatchObject({ pointId: 'c3', start: 0, end: text.length });
    const other = [under(0, 'Else'), under(1, 'Hello'), under(2, 'Hello')];
    expect(expand([under(3, 'Hello')], other)[0]).toMatchObject({ start: bounds[1][0], end: text.length });
    const none = [0, 1, 2].map((ordinal) => under(ordinal, null));
    expect(expand([under(3, null)], none)[0]).toMatchObject({ start: bounds[2][0] });
  });

  it('makes one result of two that reach the same chunks, however far apart they were found', () => {
    const words = 'the quick brown fox jumps over a lazy dog in this park'.split(' ').map((word) => `${word} `);
    const word = (ordinal: number, score = 1): FusedPoint => {
      const start = words.slice(0, ordinal).join('').length;
      const place = { documentId: 'd', ordinal, start, end: start + words[ordinal]!.length, text: words[ordinal]! };
      return { ...point(`w${ordinal}`, score, { ...place, heading: 'Animals' }), dense: score, lexical: null };
    };
    const found = [word(5, 0.9), word(9, 0.8)];
    const between = [2, 3, 4, 6, 7, 8, 10].map((ordinal) => word(ordinal));
    const results = expand(found, between);
    expect(results).toEqual([
      expect.objectContaining({ pointId: 'w5', score: 0.9, text: words.slice(2, 11).join('') }),
    ]);
  });

  it('always gives a slice of the document', () => {
    const random = seeded(11);
    for (let round = 0; round < 100; round++) {
      const picked = [0, 1, 2, 3].filter(() => random() < 0.5).map((ordinal) => chunk(ordinal, random()));
      const fetched = [0, 1, 2, 3].filter(() => random() < 0.5).map((ordinal) => chunk(ordinal));
      for (const result of expand(picked, fetched)) expect(text.slice(result.start, result.end)).toBe(result.text);
    }
  });
});
