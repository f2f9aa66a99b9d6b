import { describe, expect, it } from '@jest/globals';
import { point, seeded } from './points.fixture.js';
import type { FusedPoint } from './scored-point.js';
import { MAX_SECTION_LENGTH, sectionChunksOf, toSections } from './sections.js';

const LENGTH = 1_000;
/** Twenty chunks of 1,000 units that overlap by 100; the first ten stand under A, the others under B. */
const original = Array.from({ length: 20 * LENGTH }, (_, at) => String.fromCharCode(97 + (at % 26))).join('');
const chunk = (ordinal: number, score = 1): FusedPoint => {
  const [start, end] = [Math.max(0, ordinal * LENGTH - 100), (ordinal + 1) * LENGTH];
  const place = { documentId: 'd', ordinal, start, end, text: original.slice(start, end) };
  const heading = ordinal < 10 ? 'A' : 'B';
  return { ...point(`c${ordinal}`, score, { ...place, heading }), dense: score, lexical: null };
};
const all = Array.from({ length: 20 }, (_, ordinal) => chunk(ordinal));
const except = (...found: readonly FusedPoint[]) =>
  all.filter(({ ordinal }) => !found.some((one) => one.ordinal === ordinal));

describe('toSections', () => {
  it('gives the section of a hit, up to the longest, nearest first, as a slice of the document', () => {
    const hit = chunk(11, 0.9);
    const [section] = toSections([hit], except(hit));
    expect(section).toMatchObject({ pointId: 'c11', score: 0.9, heading: 'B', start: chunk(10).start });
    expect(section!.end - section!.start).toBeLessThanOrEqual(MAX_SECTION_LENGTH);
    expect(section!.end - section!.start).toBeGreaterThan(MAX_SECTION_LENGTH - LENGTH);
    expect(section!.text).toBe(original.slice(section!.start, section!.end));
  });

  it('makes the hits of one section one result, in the place of the best', () => {
    const hits = [chunk(2, 0.9), chunk(12, 0.8), chunk(3, 0.7)];
    expect(toSections(hits, except(...hits)).map(({ pointId }) => pointId)).toEqual(['c2', 'c12']);
  });

  it('never shows a chunk twice, and leaves a hit as it is where nothing around it is known', () => {
    const random = seeded(3);
    for (let round = 0; round < 50; round += 1) {
      const hits = all.filter(() => random() < 0.3).map(({ ordinal }) => chunk(ordinal, random()));
      const sections = toSections(
        hits,
        except(...hits).filter(() => random() < 0.7),
      );
      for (const { text, start, end } of sections) expect(text).toBe(original.slice(start, end));
      const covered = sections.flatMap(({ start, end }) => all.filter((one) => one.start >= start && one.end <= end));
      expect(new Set(covered).size).toBe(covered.length);
    }
    expect(toSections([chunk(4)], [])).toEqual([chunk(4)]);
  });

  it('asks for a dozen chunks on either side', () => {
    expect(sectionChunksOf([chunk(1)])[0]!.ordinals).toEqual([0, ...Array.from({ length: 12 }, (_, at) => at + 2)]);
  });
});
