import { describe, expect, it } from '@jest/globals';
import { createLogger, renderMetrics } from '@ragmesh/observability';
import { parseMetadataFilter } from '../../domain/metadata-filter-parser.js';
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
  const logger = createLogger('vector', 'silent');
  return new QdrantSearch(points as unknown as QdrantPoints, rows as unknown as VisibleRows, logger);
}

describe('a hybrid search while readers are changed over to another generation', () => {
  it.each([0, 1, 2, 3])('gives all of one, with the scores of both legs: after question %i', async (afterQuestions) => {
    const { hits } = await serverThatSwaps(afterQuestions).hybrid(scope, new Float32Array(2), 'x', { topK: 1 });
    expect(hits).toEqual([{ pointId: 'g1', documentId: 'd', version: 1, dense: 0.5, lexical: 0.5 }]);
  });
});

describe('a search in Qdrant that finds too few of what passes its filter', () => {
  /** Each question is answered with as many points as it wants, of `stored` at most; only the last one is of 2025. */
  async function search(stored: number, topK: number) {
    const lines: string[] = [];
    const found = Array.from({ length: stored }, (_, at) => ({ pointId: String(at), score: 1 / (at + 1) }));
    const points = {
      lexical: (_s: unknown, _t: unknown, { limit }: LegQuery) => Promise.resolve(found.slice(0, limit)),
    };
    const chunkOf = (pointId: string) => ({
      pointId,
      metadata: { day: Number(pointId) === stored - 1 ? '2025' : '2024' },
    });
    const rows = {
      chunks: (_scope: unknown, wanted: readonly FoundPoint[]) =>
        Promise.resolve(new Map(wanted.map(({ pointId }) => [pointId, chunkOf(pointId)]))),
    };
    const logger = createLogger('vector', 'warn', { write: (line) => void lines.push(line) });
    const searching = new QdrantSearch(points as unknown as QdrantPoints, rows as unknown as VisibleRows, logger);
    const filter = parseMetadataFilter({ day: { $not: { $lt: '2025' } } });
    const hits = await searching.lexical(scope, 'x', { topK, filter });
    return { hits: hits.length, told: lines.map((line) => JSON.parse(line) as object) };
  }
  const counted = async () =>
    Number(/^ragmesh_searches_cut_total\{leg="lexical"\} (\d+)$/m.exec((await renderMetrics()).body)?.[1] ?? 0);

  it.each([1, 10])('tells the operator when it gives up, with %i wanted', async (topK) => {
    const before = await counted();
    const { hits, told } = await search(20_000, topK);
    expect(hits).toBe(0);
    expect(told).toMatchObject([{ level: 'warn', collection: 'c', leg: 'lexical', points: 16_384 }]);
    expect(await counted()).toBe(before + 1);
  });

  it('is silent when it looked at all there are', async () => {
    const before = await counted();
    expect(await search(10_000, 2)).toEqual({ hits: 1, told: [] });
    expect(await counted()).toBe(before);
  });
});
