import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedIndex } from '../../src/adapters/embedded-index/embedded-index.js';
import { chunkId, pointId } from '../../src/adapters/point-id.js';
import { bytesOf, vectorOf } from '../document.builder.js';
import type { SuiteContext } from '../store-suite.js';

const collection = 'abstracts';
const ABSTRACTS = 400;
const QUESTIONS = 25;
const DIMENSION = 32;

async function texts(file: string, count: number): Promise<string[]> {
  const path = new URL(`../../../../../shared/datasets/scifact/${file}`, import.meta.url);
  const lines = (await readFile(path, 'utf8')).trim().split('\n').slice(0, count);
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

const overlap = (a: readonly string[], b: readonly string[]): number =>
  a.length === 0 ? 1 : a.filter((id) => b.includes(id)).length / a.length;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Every store ranks as the embedded index does, exactly by cosine, and by BM25 as far as the store can. */
export function rankingSuite(context: () => SuiteContext): void {
  describe(`ranking of ${ABSTRACTS} abstracts`, () => {
    const reference = new EmbeddedIndex();
    let questions: string[] = [];
    beforeAll(async () => {
      const abstracts = await texts('corpus.jsonl', ABSTRACTS);
      questions = await texts('queries.jsonl', QUESTIONS);
      const document = { id: 'papers', collection, texts: abstracts, dimension: DIMENSION };
      await context().mesh.stage(document);
      await context().mesh.show(document);
      const points = abstracts.map((text, ordinal) => {
        const id = chunkId('papers', 1, ordinal);
        const place = { documentId: 'papers', version: 1, ordinal, chunkId: id, pointId: pointId('default', id) };
        const rest = { start: 0, end: 1, page: null, heading: null, metadata: {} };
        return { ...place, ...rest, text, vector: vectorOf(text, DIMENSION) };
      });
      await reference.addPoints(points);
      reference.showVersion('papers', 1);
    });

    it('by cosine is the same', async () => {
      const { mesh } = context();
      for (const question of questions) {
        const vector = vectorOf(question, DIMENSION);
        const expected = reference.searchDense(vector, { topK: 10 });
        const hits = await mesh.dense('', { collection, vector: bytesOf(vector), topK: 10 });
        expect(hits.map(({ pointId: id }) => id)).toEqual(expected.map(({ pointId: id }) => id));
        hits.forEach(({ score }, at) => expect(score).toBeCloseTo(expected[at]!.score, 4));
      }
    });

    it('by words agrees', async () => {
      const { mesh, store } = context();
      const agreement: number[] = [];
      const firsts: number[] = [];
      for (const question of questions) {
        const ids = (hits: readonly { pointId: string }[]) => hits.map(({ pointId: id }) => id);
        const expected = ids(reference.searchLexical(question, { topK: 10 }));
        const found = ids(await mesh.lexical(question, { collection, topK: 10 }));
        agreement.push(overlap(expected, found));
        firsts.push(expected[0] === found[0] ? 1 : 0);
      }
      expect(mean(agreement)).toBeGreaterThanOrEqual(store.lexicalAgreement);
      expect(mean(firsts)).toBeGreaterThanOrEqual(store.lexicalAgreement);
    });

    it('by both scores what either leg finds by both', async () => {
      const { mesh, store } = context();
      const agreement: number[] = [];
      for (const question of questions) {
        const vector = vectorOf(question, DIMENSION);
        const expected = reference.searchHybrid(vector, question, { topK: 10 }).hits;
        const request = { collection, vector: bytesOf(vector), query: question, topK: 10 };
        const { hits } = await mesh.as('default', () => mesh.client.searchHybrid(request));
        const byId = new Map(hits.map((hit) => [hit.pointId, hit]));
        agreement.push(
          overlap(
            expected.map(({ pointId: id }) => id),
            [...byId.keys()],
          ),
        );
        for (const { pointId: id, dense, lexical } of expected) {
          if (!byId.has(id)) continue;
          expect(byId.get(id)!.dense).toBeCloseTo(dense!, 4);
          expect(byId.get(id)!.lexical > 0).toBe(lexical > 0);
        }
      }
      expect(mean(agreement)).toBeGreaterThanOrEqual(store.lexicalAgreement);
    });
  });
}
