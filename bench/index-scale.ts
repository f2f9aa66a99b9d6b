import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readCorpus } from '../eval/dataset.js';
import type { EmbeddedIndex } from '../services/vector/src/adapters/embedded-index/embedded-index.js';
import type { IndexedPoint, SearchHit } from '../services/vector/src/adapters/embedded-index/indexed-point.js';
import type { parseMetadataFilter } from '../services/vector/src/domain/metadata-filter-parser.js';
import type { BenchInput } from './bench-input.js';
import { questionsOf } from './corpus.js';
import { quantile } from './quantile.js';
import type { Report } from './report.js';
import { SyntheticChunks } from './synthetic-chunks.js';

const TOP_K = 10;
const DENSE_QUERIES = 500;
/** An exact scan takes 25 ms and more in plain JavaScript. */
const JUDGED_QUERIES = 200;
const WARM_UP = 50;
/** Added at once, as documents come. */
const CHUNKS_PER_DOCUMENT = 10;

/** Every chunk is in one of a hundred sections, so that a filter on n of them passes n percent. */
const SECTIONS = 100;

interface VectorClasses {
  readonly index: EmbeddedIndex;
  readonly filterOf: typeof parseMetadataFilter;
}

async function vectorClasses(root: string): Promise<VectorClasses> {
  const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, 'services/vector/dist', file)).href);
  const { EmbeddedIndex: Index } = (await load('adapters/embedded-index/embedded-index.js')) as {
    EmbeddedIndex: typeof EmbeddedIndex;
  };
  const { parseMetadataFilter: filterOf } = (await load('domain/metadata-filter-parser.js')) as {
    parseMetadataFilter: typeof parseMetadataFilter;
  };
  return { index: new Index(), filterOf };
}

function pointOf(number: number, chunks: SyntheticChunks): IndexedPoint {
  const documentId = `document-${Math.floor(number / CHUNKS_PER_DOCUMENT)}`;
  const text = chunks.text();
  return {
    pointId: `point-${String(number).padStart(9, '0')}`,
    chunkId: `chunk-${number}`,
    documentId,
    version: 1,
    ordinal: number % CHUNKS_PER_DOCUMENT,
    start: 0,
    end: text.length,
    page: null,
    heading: null,
    text,
    metadata: { section: number % SECTIONS },
    vector: chunks.vector(),
  };
}

/** @returns the vectors, by number of the point, and the seconds that adding took. */
async function fill(index: EmbeddedIndex, count: number, chunks: SyntheticChunks) {
  const vectors: Float32Array[] = [];
  let seconds = 0;
  while (vectors.length < count) {
    const first = vectors.length;
    const points = Array.from({ length: Math.min(CHUNKS_PER_DOCUMENT, count - first) }, (_, at) =>
      pointOf(first + at, chunks),
    );
    vectors.push(...points.map(({ vector }) => vector!));
    const begin = performance.now();
    for (const { documentId } of points) index.showVersion(documentId, 1);
    await index.addPoints(points);
    seconds += (performance.now() - begin) / 1000;
  }
  return { vectors, seconds };
}

/** Times of searches one after the other, without those that warm up. */
function timesOf<Query>(queries: readonly Query[], search: (query: Query) => unknown): number[] {
  const times = queries.map((query) => {
    const begin = performance.now();
    search(query);
    return performance.now() - begin;
  });
  return times.slice(Math.min(WARM_UP, Math.floor(times.length / 2)));
}

/** The numbers of the nearest points, by looking at each. */
function nearest(
  vectors: readonly Float32Array[],
  query: Float32Array,
  passes: (number: number) => boolean,
): Set<number> {
  const scored = vectors.flatMap((vector, number) => (passes(number) ? [{ number, score: dot(vector, query) }] : []));
  return new Set(
    scored
      .sort((a, b) => b.score - a.score)
      .slice(0, TOP_K)
      .map(({ number }) => number),
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += a[at]! * b[at]!;
  return sum;
}

const numberOf = ({ chunkId }: SearchHit): number => Number(chunkId.slice('chunk-'.length));
const spread = (times: readonly number[]): string =>
  `${quantile(times, 0.5).toFixed(2)} ms (${quantile(times, 0.99).toFixed(2)})`;

/**
 * S4 and S5: searches in the index of the embedded store, filled with ready-made vectors and real sentences, both legs in
 * one index as they are in use; recall against an exact scan of the same vectors.
 */
export async function benchIndexScale(report: Report, input: BenchInput): Promise<void> {
  const { index, filterOf } = await vectorClasses(input.root);
  const texts: string[] = [];
  for await (const { text } of readCorpus(input.dataset)) texts.push(text);
  const chunks = new SyntheticChunks(texts);
  const { vectors, seconds } = await fill(index, input.chunks, chunks);
  report.add(
    `S4/S5 indexing of ${input.chunks} chunks, both legs`,
    `${(input.chunks / seconds).toFixed(0)} chunks/s`,
    '–',
  );
  const queries = Array.from({ length: DENSE_QUERIES }, () => chunks.vector());
  for (const percent of [100, 10, 1]) {
    const filter = percent === SECTIONS ? undefined : filterOf({ section: { $lt: percent } });
    const search = (query: Float32Array): SearchHit[] => index.searchDense(query, { topK: TOP_K, filter });
    const times = timesOf(queries, search);
    const judged = queries.slice(0, JUDGED_QUERIES);
    const found = judged.map((query) => {
      const wanted = nearest(vectors, query, (number) => number % SECTIONS < percent);
      return search(query).filter((hit) => wanted.has(numberOf(hit))).length / wanted.size;
    });
    const recall = found.reduce((sum, share) => sum + share, 0) / found.length;
    const what = percent === 100 ? 'no filter' : `filter that passes ${percent} %`;
    report.add(
      `S4 dense search, ${input.chunks} chunks, ${what}, p50 (p99)`,
      `${spread(times)}, recall@${TOP_K} ${recall.toFixed(4)}`,
      '≤ 5 ms p50 at recall ≥ .99',
      quantile(times, 0.5) <= 5 && recall >= 0.99,
    );
  }
  const questions = await questionsOf(input);
  const lexical = timesOf(questions, (question) => index.searchLexical(question, { topK: TOP_K }));
  const isFast = quantile(lexical, 0.5) <= 10;
  report.add(`S5 lexical search, ${input.chunks} chunks, p50 (p99)`, spread(lexical), '≤ 10 ms p50', isFast);
  const pairs = questions.map((question, at) => ({ question, vector: queries[at % queries.length]! }));
  const hybrid = timesOf(pairs, ({ question, vector }) => index.searchHybrid(vector, question, { topK: TOP_K }));
  report.add(`both legs with the second scoring, ${input.chunks} chunks, p50 (p99)`, spread(hybrid), '–');
}
