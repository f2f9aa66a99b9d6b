import { describe, expect, it } from '@jest/globals';
import { LexicalIndex } from './lexical-index.js';
import { bm25Vector, numberedQuery, numberedTerms, termNumbers } from './sparse-bm25.js';

const owner = ['default', 'papers'] as const;
const texts = ['the lift of a wing', 'wing wing drag', 'heat flow over a flat plate', 'drag and lift and flow'];

/** What a store computes that multiplies by idf and adds up. */
function scores(query: string, averageLength: number): number[] {
  const vectors = texts.map((text) => bm25Vector(owner, text, averageLength));
  const { indices, values } = numberedQuery(owner, query);
  return vectors.map((vector) =>
    indices.reduce((sum, number, at) => {
      const frequency = vectors.filter((other) => other.indices.includes(number)).length;
      const idf = Math.log(1 + (texts.length - frequency + 0.5) / (frequency + 0.5));
      const place = vector.indices.indexOf(number);
      return sum + (place < 0 ? 0 : values[at]! * idf * vector.values[place]!);
    }, 0),
  );
}

describe('BM25 as sparse vectors', () => {
  it.each(['wing', 'lift drag', 'heat flow flow', 'nothing of it'])(
    'scores "%s" as the embedded index does',
    (query) => {
      const index = new LexicalIndex();
      texts.forEach((text, slot) => index.add(slot, text));
      const { averageLength } = index.statistics;
      const allowed = new Uint8Array(texts.length).fill(1);
      const hits = index.search(query, { topK: 9, allowed, tieBreak: (a, b) => a - b });
      const expected = texts.map((_, slot) => hits.find((hit) => hit.slot === slot)?.score ?? 0);
      scores(query, averageLength).forEach((score, slot) => expect(score).toBeCloseTo(expected[slot]!, 5));
    },
  );

  it('numbers a word differently for each owner, and alike for inflections of it', () => {
    const [ours, theirs] = [termNumbers(owner), termNumbers(['other', 'papers'])];
    expect(ours('wing')).toBe(termNumbers(owner)('wing'));
    expect(ours('wing')).not.toBe(theirs('wing'));
    expect(numberedTerms(owner, 'wings').indices).toEqual(numberedTerms(owner, 'wing').indices);
  });

  it('gives 100,000 words fewer than five shared numbers', () => {
    const numberOf = termNumbers(owner);
    const numbers = new Set(Array.from({ length: 100_000 }, (_, n) => numberOf(`w${n.toString(36)}`)));
    expect(numbers.size).toBeGreaterThan(99_995);
  });
});
