import { describe, expect, it } from '@jest/globals';
import { resplit, type KnownPlace } from './resplit.js';

const sentence = (n: number): string => `Sentence number ${n} says something about herons.`;
const text = Array.from({ length: 40 }, (_, n) => (n % 5 === 4 ? `${sentence(n)}\n\n` : `${sentence(n)} `))
  .join('')
  .trimEnd();
const half = text.indexOf(sentence(20));
const known: KnownPlace[] = [
  [0, half - 2, 1, 'Guide'],
  [half, text.length, 2, 'Usage'],
];

describe('resplit', () => {
  it('covers the text in other pieces, each with the page and the heading it had', () => {
    const places = resplit(text, known, { chunkSize: 48, overlap: 0 });
    expect(places.length).toBeGreaterThan(5);
    expect(
      places
        .map(([start, end]) => text.slice(start, end))
        .join(' ')
        .replaceAll(/\s+/g, ' '),
    ).toBe(text.replaceAll(/\s+/g, ' '));
    for (const [start, , page, heading] of places) {
      expect([page, heading]).toEqual(start < half ? [1, 'Guide'] : [2, 'Usage']);
    }
  });

  it('keeps sections apart, however large a chunk may be', () => {
    expect(resplit(text, known, { chunkSize: 2048, overlap: 0 }).map(([, , , heading]) => heading)).toEqual([
      'Guide',
      'Usage',
    ]);
  });
});
