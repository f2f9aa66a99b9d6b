import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { averagePrecision, ndcgAt, recallAt } from '../../../../eval/metrics.js';
import { LexicalIndex } from './lexical-index.js';

const byInsertion = (a: number, b: number): number => a - b;
const search = (index: LexicalIndex, query: string, size: number, topK = 10) =>
  index.search(query, { topK, allowed: new Uint8Array(size).fill(1), tieBreak: byInsertion });

describe('LexicalIndex', () => {
  const texts = ['cat dog', 'cat cat bird bird', 'fish'];
  const build = (): LexicalIndex => {
    const index = new LexicalIndex();
    texts.forEach((text, slot) => index.add(slot, text));
    return index;
  };

  it('scores as BM25 does by hand', () => {
    // N 3, lengths 2, 4 and 1, average 7/3; df(cat) 2: idf ln(1 + 1.5 / 2.5).
    const idf = Math.log(1 + 1.5 / 2.5);
    const expected = (tf: number, length: number): number =>
      (idf * 2.2 * tf) / (tf + 1.2 * (0.25 + (0.75 * length) / (7 / 3)));
    const hits = search(build(), 'cats', 3);
    expect(hits.map((hit) => hit.slot)).toEqual([1, 0]);
    expect(hits[0]!.score).toBeCloseTo(expected(2, 4), 5);
    expect(hits[1]!.score).toBeCloseTo(expected(1, 2), 5);
  });

  it('forgets a removed text as if it had never been there, before and after its postings are swept', () => {
    const index = build();
    index.add(3, 'cat fish whale');
    index.remove(3, 'cat fish whale');
    const without = new Uint8Array([1, 1, 1, 0]);
    const options = { topK: 10, allowed: without, tieBreak: byInsertion };
    expect(index.search('cat fish', options)).toEqual(search(build(), 'cat fish', 3));
    for (const _ of index.sweep(new Uint8Array([0, 0, 0, 1])));
    expect(index.search('cat fish', options)).toEqual(search(build(), 'cat fish', 3));
    expect(index.statistics.terms).toBe(build().statistics.terms);
    index.add(3, 'otter');
    expect(search(index, 'cat otter', 4).map((hit) => hit.slot)).toEqual(expect.arrayContaining([0, 1, 3]));
  });

  it('answers a query of nothing but stop words, and finds nothing for an empty one', () => {
    const index = new LexicalIndex();
    index.add(0, 'to be or not to be');
    index.add(1, '');
    expect(search(index, 'to be or not', 2)).toHaveLength(1);
    expect(search(index, ' ?! ', 2)).toEqual([]);
  });
});

const lines = (collection: string, file: string): string[] =>
  readFileSync(new URL(`../../../../../shared/datasets/${collection}/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

function measure(collection: string): { ndcg: number; map: number; recall: number } {
  const documents = lines(collection, 'corpus.jsonl').map(
    (line) => JSON.parse(line) as Record<'_id' | 'title' | 'text', string>,
  );
  const index = new LexicalIndex();
  documents.forEach(({ title, text }, slot) => index.add(slot, `${title} ${text}`));
  const judgements = new Map<string, Map<string, number>>();
  for (const line of lines(collection, 'qrels.tsv').slice(1)) {
    const [query, document, score] = line.split('\t') as [string, string, string];
    judgements.set(query, (judgements.get(query) ?? new Map<string, number>()).set(document, Number(score)));
  }
  const sums = { ndcg: 0, map: 0, recall: 0 };
  for (const query of lines(collection, 'queries.jsonl').map(
    (line) => JSON.parse(line) as Record<'_id' | 'text', string>,
  )) {
    const relevant = judgements.get(query._id);
    if (!relevant) continue;
    const ranked = search(index, query.text, documents.length, 1000).map(({ slot }) => documents[slot]!._id);
    sums.ndcg += ndcgAt(10, ranked, relevant) / judgements.size;
    sums.map += averagePrecision(ranked, relevant) / judgements.size;
    sums.recall += recallAt(100, ranked, relevant) / judgements.size;
  }
  return sums;
}

describe('LexicalIndex quality', () => {
  it.each([
    ['cranfield', { ndcg: 0.385, map: 0.306, recall: 0.735 }],
    ['scifact', { ndcg: 0.679, map: 0.64, recall: 0.913 }],
  ])('is at least the known BM25 level on %s', (collection, level) => {
    const measured = measure(collection);
    expect(measured.ndcg).toBeGreaterThanOrEqual(level.ndcg);
    expect(measured.map).toBeGreaterThanOrEqual(level.map);
    expect(measured.recall).toBeGreaterThanOrEqual(level.recall);
  });
});
