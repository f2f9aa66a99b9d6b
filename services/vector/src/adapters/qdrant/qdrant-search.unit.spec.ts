import { describe, expect, it } from '@jest/globals';
import type { IndexedChunk } from '../embedded-index/indexed-point.js';
import type { VisibleRows } from '../visible-rows.js';
import type { FoundPoint } from './qdrant-point.js';
import type { LegQuery, QdrantPoints } from './qdrant-points.js';
import { QdrantSearch } from './qdrant-search.js';

const scope = { tenant: 'default', collection: 'c' };

/** A server whose alias is pointed to the next generation after some questions. */
function serverThatSwaps(afterQuestions: number) {
  let questions = 0;
  const ask = ({ among }: LegQuery): Promise<FoundPoint[]> => {
    const generation = questions++ < afterQuestions ? 0 : 1;
    const found = { pointId: `g${generation}`, documentId: 'd', version: 1, ordinal: 0, generation, score: 0.5 };
    return Promise.resolve(!among || among.includes(found.pointId) ? [found] : []);
  };
  const points = {
    lexical: (_scope: unknown, _text: string, query: LegQuery) => ask(query),
    dense: (_scope: unknown, _vector: unknown, query: LegQuery) => ask(query),
  };
  const rows = {
    chunks: (_scope: unknown, found: readonly FoundPoint[]) =>
      Promise.resolve(new Map(found.map((point) => [point.pointId, point as unknown as IndexedChunk]))),
  };
  return new QdrantSearch(points as unknown as QdrantPoints, rows as unknown as VisibleRows);
}

describe('a hybrid search while readers are changed over to another generation', () => {
  it.each([0, 1, 2, 3])('gives all of one, with the scores of both legs: after question %i', async (afterQuestions) => {
    const { hits } = await serverThatSwaps(afterQuestions).hybrid(scope, new Float32Array(2), 'x', { topK: 1 });
    expect(hits).toEqual([{ pointId: 'g1', documentId: 'd', version: 1, dense: 0.5, lexical: 0.5 }]);
  });
});
