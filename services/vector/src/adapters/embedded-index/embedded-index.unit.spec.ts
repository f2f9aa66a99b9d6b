import { describe, expect, it } from '@jest/globals';
import { parseMetadataFilter } from '../../domain/metadata-filter-parser.js';
import { EmbeddedIndex } from './embedded-index.js';
import { EmbeddedIndexes } from './embedded-indexes.js';
import type { IndexedPoint } from './indexed-point.js';

const random = (seed: number) => () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5;
const vectors = (count: number, dimensions: number, seed = 7): Float32Array[] => {
  const next = random(seed);
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next));
};
const cosine = (a: Float32Array, b: Float32Array): number => {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

const point = (documentId: string, ordinal: number, change: Partial<IndexedPoint> = {}): IndexedPoint => ({
  pointId: `${documentId}-${change.version ?? 1}-${String(ordinal).padStart(5, '0')}`,
  chunkId: `${documentId}#${ordinal}`,
  documentId,
  version: 1,
  ordinal,
  start: 0,
  end: 5,
  page: null,
  heading: null,
  text: `heron number${ordinal}`,
  metadata: {},
  vector: null,
  ...change,
});
const many = (documentId: string, count: number, change: Partial<IndexedPoint> = {}): IndexedPoint[] =>
  Array.from({ length: count }, (_, ordinal) => point(documentId, ordinal, change));

describe('EmbeddedIndex versions', () => {
  it('remembers of a document that is gone not even who was to read it', async () => {
    const index = new EmbeddedIndex();
    index.restrict('d', ['user:ann']);
    await index.addPoints([point('d', 0)]);
    await index.addPoints([point('d', 0)]); // replaced, so gone for a moment
    expect(index.accessOf('d')).toEqual(['user:ann']);
    index.removeVersion('d', 1);
    expect(index.accessOf('d')).toBeNull();
  });

  it('never returns staged points, and flips between versions in one tick', async () => {
    const index = new EmbeddedIndex();
    await index.addPoints(many('d', 3));
    expect(index.searchLexical('heron', { topK: 10 })).toEqual([]);
    index.showVersion('d', 1);
    await index.addPoints(many('d', 4, { version: 2 }));
    expect(index.searchLexical('heron', { topK: 10 }).map((hit) => hit.version)).toEqual([1, 1, 1]);
    index.showVersion('d', 2);
    expect(index.searchLexical('heron', { topK: 10 }).map((hit) => hit.version)).toEqual([2, 2, 2, 2]);
    expect(index.removeVersion('d', 1)).toBe(3);
    index.hideDocument('d');
    expect([index.count(), index.count({ visible: true })]).toEqual([4, 0]);
  });

  it('never mixes versions while points of both arrive and searches run', async () => {
    const index = new EmbeddedIndex();
    await index.addPoints(many('d', 200));
    index.showVersion('d', 1);
    const adding = index.addPoints(many('d', 3000, { version: 2 }));
    let done = false;
    void adding.then(() => (done = true));
    for (let turn = 0; !done; turn++) {
      index.showVersion('d', (turn % 2) + 1);
      const versions = new Set(index.searchLexical('heron', { topK: 500 }).map((hit) => hit.version));
      expect(versions).toEqual(new Set([(turn % 2) + 1]));
      await new Promise(setImmediate);
    }
    await adding;
  });

  it('does not bring back what was removed while it was being added', async () => {
    const index = new EmbeddedIndex();
    const adding = index.addPoints([
      ...many('gone', 4000),
      ...many('half', 2000),
      ...many('half', 2000, { version: 2 }),
    ]);
    index.removeDocument('gone');
    index.removeVersion('half', 1);
    await adding;
    expect(index.count({ documentId: 'gone' })).toBe(0);
    expect(index.count({ documentId: 'half' })).toBe(2000);
    index.showVersion('gone', 1);
    expect(index.searchLexical('heron', { topK: 5 })).toEqual([]);
  });

  it('replaces a point that is added again and orders equal scores by point id', async () => {
    const index = new EmbeddedIndex();
    const points = many('d', 50, { text: 'same words' });
    await index.addPoints([...points].reverse());
    await index.addPoints(points);
    index.showVersion('d', 1);
    expect(index.count()).toBe(50);
    expect(index.searchLexical('words', { topK: 3 }).map((hit) => hit.ordinal)).toEqual([0, 1, 2]);
    expect(index.chunks('d', 1, new Set([3, 1])).map((chunk) => chunk.ordinal)).toEqual([1, 3]);
  });

  it('uses the room of removed points again and finds the same afterwards', async () => {
    const index = new EmbeddedIndex({ graphThreshold: 300 });
    const [early] = vectors(1, 16, 99);
    for (let version = 1; version <= 12; version++) {
      const fresh = vectors(600, 16, version);
      await index.addPoints(fresh.map((vector, i) => point('d', i, { version, vector })));
      index.showVersion('d', version);
      index.removeVersion('d', version - 1);
      const best = fresh.map((vector, i) => ({ i, score: cosine(vector, early!) })).sort((a, b) => b.score - a.score);
      expect(index.searchDense(early!, { topK: 5 }).map((hit) => hit.ordinal)).toEqual(
        best.slice(0, 5).map(({ i }) => i),
      );
      expect(index.searchLexical('number77', { topK: 5 })).toMatchObject([{ ordinal: 77, version }]);
    }
    expect(index.statistics.slots).toBeLessThan(600 * 6);
  });
});

describe('EmbeddedIndex dense leg', () => {
  const dimensions = 48;
  const all = vectors(3000, dimensions);
  const queries = vectors(40, dimensions, 1234);
  const exact = (query: Float32Array, keep: (i: number) => boolean): string[] =>
    all
      .map((vector, i) => ({ id: point('d', i).pointId, i, score: cosine(vector, query) }))
      .filter(({ i }) => keep(i))
      .sort((a, b) => b.score - a.score)
      .slice(0, 10)
      .map(({ id }) => id);

  it.each([
    ['scan', 1_000_000],
    ['graph', 500],
  ])('finds at least 99 % of the true neighbours by %s, with and without a filter', async (_, graphThreshold) => {
    const index = new EmbeddedIndex({ graphThreshold });
    for (let from = 0; from < all.length; from += 500) {
      await index.addPoints(
        all
          .slice(from, from + 500)
          .map((vector, i) => point('d', from + i, { vector, metadata: { third: (from + i) % 3 } })),
      );
    }
    index.showVersion('d', 1);
    const filter = parseMetadataFilter({ third: 1 });
    let found = 0;
    for (const query of queries) {
      const ids = new Set(index.searchDense(query, { topK: 10 }).map((hit) => hit.pointId));
      found += exact(query, () => true).filter((id) => ids.has(id)).length;
      const filtered = index.searchDense(query, { topK: 10, filter });
      expect(filtered.every((hit) => hit.metadata['third'] === 1)).toBe(true);
      expect(filtered.map((hit) => hit.pointId)).toEqual(exact(query, (i) => i % 3 === 1));
    }
    expect(found / (queries.length * 10)).toBeGreaterThanOrEqual(0.99);
  });

  it('names a wrong dimension before anything is added, and refuses vectors without direction', async () => {
    const index = new EmbeddedIndex();
    const mixed = [
      point('d', 0, { vector: new Float32Array([1, 0]) }),
      point('d', 1, { vector: new Float32Array([1, 0, 0]) }),
    ];
    await expect(index.addPoints(mixed)).rejects.toMatchObject({ code: 'VECTOR.DIMENSION_MISMATCH' });
    expect(index.count()).toBe(0);
    for (const bad of [0, NaN, Infinity]) {
      const adding = index.addPoints([point('d', 0, { vector: new Float32Array([bad, 0]) })]);
      await expect(adding).rejects.toMatchObject({ code: 'EMBEDDING.INVALID_VECTOR' });
    }
  });

  it('finds points without a vector by their words only', async () => {
    const index = new EmbeddedIndex();
    await index.addPoints([point('d', 0), point('d', 1, { vector: new Float32Array([3, 4]) })]);
    index.showVersion('d', 1);
    const hits = index.searchDense(new Float32Array([0.6, 0.8]), { topK: 5 });
    expect(hits).toHaveLength(1);
    expect(hits[0]).toMatchObject({ ordinal: 1, score: expect.closeTo(1, 6) });
    expect(index.searchLexical('heron', { topK: 5 })).toHaveLength(2);
  });
});

describe('EmbeddedIndexes', () => {
  it('keeps tenants, collections and generations apart, whatever their names', () => {
    const indexes = new EmbeddedIndexes();
    const first = indexes.open({ tenant: 'a', collection: 'b","c', generation: 1 });
    expect(indexes.open({ tenant: 'a', collection: 'b","c', generation: 1 })).toBe(first);
    expect(indexes.find({ tenant: 'a","b', collection: 'c', generation: 1 })).toBeUndefined();
    expect(indexes.drop({ tenant: 'a', collection: 'b","c', generation: 1 })).toBe(true);
  });
});
