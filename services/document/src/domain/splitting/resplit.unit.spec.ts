import { describe, expect, it } from '@jest/globals';
import { keptSpan } from '../kept-span.js';
import { LongText } from '../long-text.js';
import { resplit, type KnownPlace, type Place } from './resplit.js';
import type { SplittingOptions } from './chunk.js';
import { split } from './splitter.js';

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

  it('knows the pages of what stood in one chunk over several, also when it is cut again and again', () => {
    const starts = [0, ...Array.from(text.matchAll(/\n\n/g), ({ index }) => index + 2)];
    const blocks = starts.map((start, n) => ({ kind: 'paragraph' as const, start, end: (starts[n + 1] ?? text.length + 2) - 2, page: n + 2 })); // prettier-ignore
    const uploaded = Array.from(split({ text, blocks }, { chunkSize: 2048, overlap: 0 }), keptSpan);
    expect(uploaded.map(([, , page]) => page)).toEqual([2]);
    const onPages: KnownPlace[] = JSON.parse(JSON.stringify(uploaded));
    const pageAt = (at: number) => 1 + starts.filter((start) => start <= at).length;
    const wide = places(text, onPages, { chunkSize: 200, overlap: 30 });
    const narrow = places(text, wide, { chunkSize: 30, overlap: 0 });
    for (const [start, , page] of [...wide, ...narrow]) expect(page).toBe(pageAt(start));
    expect(new Set(narrow.map(([, , page]) => page))).toEqual(new Set(blocks.map(({ page }) => page)));
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
