import { byScore, distributions, reciprocalRanks, type ScoredPoint } from './fusion.js';
import { passes, type QdrantFilter } from './payload-filter.js';
import { failedValidation, wrongInput } from './qdrant-refusal.js';
import type { StoredCollection } from './stored-collection.js';
import { isSparse, normalised, type SparseVector } from './stored-point.js';

/** What `/points/query` takes, as far as this stand-in goes. */
export interface Query {
  readonly query?: number[] | SparseVector | { fusion: 'rrf' | 'dbsf' };
  readonly using?: string;
  readonly prefetch?: Query | Query[];
  readonly filter?: QdrantFilter;
  readonly limit?: number;
  readonly offset?: number;
  readonly score_threshold?: number;
}

/** Exact where the server may approximate, so it finds what the server finds at full recall. */
export function search(collection: StoredCollection, query: Query): ScoredPoint[] {
  const { limit = 10, offset = 0, score_threshold: threshold = -Infinity } = query;
  if (limit < 1) throw failedValidation(`internal.limit: value ${limit} invalid, must be 1 or larger`);
  const hits = scored(collection, query).filter(({ score }) => score >= threshold);
  return hits.slice(offset, offset + limit).map(({ point, score }) => ({ point, score: rounded(score) }));
}

function scored(collection: StoredCollection, query: Query): ScoredPoint[] {
  const { query: target, using = '', filter } = query;
  if (typeof target === 'object' && 'fusion' in target) {
    const lists = [query.prefetch ?? []].flat().map((leg) => search(collection, leg));
    return target.fusion === 'rrf' ? reciprocalRanks(lists) : distributions(lists);
  }
  const candidates = [...collection.points.values()].filter((point) => passes(filter, point));
  if (isSparse(target)) return sparseScores(collection, target, using, candidates);
  return denseScores(collection, target ?? [], using, candidates);
}

type Candidates = readonly ScoredPoint['point'][];

function denseScores(
  collection: StoredCollection,
  target: number[],
  using: string,
  candidates: Candidates,
): ScoredPoint[] {
  const parameters = collection.parameters.vectors[using];
  if (!parameters) throw wrongInput(`Not existing vector name error: ${using}`);
  if (parameters.size !== target.length) {
    throw wrongInput(`Vector dimension error: expected dim: ${parameters.size}, got ${target.length}`);
  }
  const unit = normalised(target);
  const hits = candidates.flatMap((point) => {
    const vector = point.vectors[using] as number[] | undefined;
    return vector ? [{ point, score: vector.reduce((sum, x, at) => sum + x * unit[at]!, 0) }] : [];
  });
  return hits.sort(byScore);
}

function sparseScores(
  collection: StoredCollection,
  { indices, values }: SparseVector,
  using: string,
  candidates: Candidates,
): ScoredPoint[] {
  const parameters = collection.parameters.sparse_vectors?.[using];
  if (!parameters) throw wrongInput(`Not existing vector name error: ${using}`);
  const all = [...collection.points.values()].map(({ vectors }) => weightsOf(vectors[using]));
  const wanted = indices.map((index, at): [number, number] => {
    const frequency = all.filter((weights) => weights.has(index)).length;
    // The idf modifier counts the whole collection, whatever the filter.
    const idf = Math.log(1 + (all.length - frequency + 0.5) / (frequency + 0.5));
    return [index, values[at]! * (parameters.modifier === 'idf' ? idf : 1)];
  });
  const hits = candidates.flatMap((point) => {
    const weights = weightsOf(point.vectors[using]);
    const matched = wanted.filter(([index]) => weights.has(index));
    const score = matched.reduce((sum, [index, weight]) => sum + weight * weights.get(index)!, 0);
    return matched.length > 0 ? [{ point, score }] : [];
  });
  return hits.sort(byScore);
}

const none: ReadonlyMap<number, number> = new Map();
const known = new WeakMap<object, ReadonlyMap<number, number>>();

function weightsOf(vector: unknown): ReadonlyMap<number, number> {
  if (!isSparse(vector)) return none;
  let weights = known.get(vector);
  if (!weights) known.set(vector, (weights = new Map(vector.indices.map((index, at) => [index, vector.values[at]!]))));
  return weights;
}

/** Scores travel as single precision; a similarity with itself is 1, not a rounding beside it. */
const rounded = (score: number): number => Number(Math.fround(score).toPrecision(8));
