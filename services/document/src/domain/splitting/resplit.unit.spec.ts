import { describe, expect, it } from '@jest/globals';
import { LongText } from '../long-text.js';
import { resplit, type KnownPlace, type Place } from './resplit.js';
import type { SplittingOptions } from './chunk.js';

const sentence = (n: number): string => `Sentence number ${n} says something about herons.`;
const text = Array.from({ length: 40 }, (_, n) => (n % 5 === 4 ? `${sentence(n)}\n\n` : `${sentence(n)} `))
  .join('')
  .trimEnd();
const half = text.indexOf(sentence(20));
const known: KnownPlace[] = [
  [0, half - 2, 1, 'Guide'],
  [half, text.length, 2, 'Usage'],
];

const places = (whole: string, before: readonly KnownPlace[], options: SplittingOptions): Place[] => [
  ...resplit(LongText.of(whole), before, options),
];

describe('resplit', () => {
  it('covers the text in other pieces, each with the page and the heading it had', () => {
    const found = places(text, known, { chunkSize: 48, overlap: 0 });
    expect(found.length).toBeGreaterThan(5);
    expect(
      found
        .map(([start, end]) => text.slice(start, end))
        .join(' ')
        .replaceAll(/\s+/g, ' '),
    ).toBe(text.replaceAll(/\s+/g, ' '));
    for (const [start, , page, heading] of found) {
      expect([page, heading]).toEqual(start < half ? [1, 'Guide'] : [2, 'Usage']);
    }
  });

  it('keeps sections apart, however large a chunk may be', () => {
    expect(places(text, known, { chunkSize: 2048, overlap: 0 }).map(([, , , heading]) => heading)).toEqual([
      'Guide',
      'Usage',
    ]);
  });

  it.each([
    ['paragraphs', `${sentence(1)} ${sentence(2)}\n\n`],
    ['lines', `${sentence(1)}\n`],
    ['words', 'héron '],
    ['signs beyond the first plane', '\u{20021}'],
  ])('covers a long text of nothing but %s, however it is cut up', (_, repeated) => {
    const long = repeated.repeat(Math.ceil(400_000 / repeated.length)).trimEnd();
    const heads: KnownPlace[] = [
      [0, 300_000, 1, 'Guide'],
      [300_000, long.length, 2, 'Usage'],
    ];
    const found = places(long, heads, { chunkSize: 512, overlap: 0 });
    expect(
      found
        .map(([start, end]) => long.slice(start, end))
        .join('')
        .replaceAll(/\s+/g, ''),
    ).toBe(long.replaceAll(/\s+/g, ''));
    for (const [start, end] of found) expect(long.slice(start, end).isWellFormed()).toBe(true);
    expect(found.at(0)!.slice(2)).toEqual([1, 'Guide']);
    expect(found.at(-1)!.slice(2)).toEqual([2, 'Usage']);
  });
});
