import { badFormat, wrongInput } from './qdrant-refusal.js';

export type Payload = Record<string, unknown>;

export interface SparseVector {
  readonly indices: number[];
  readonly values: number[];
}

export type PointVectors = Record<string, number[] | SparseVector>;

/** A point as it lies in a collection; `version` is the operation that wrote it last, `sequence` orders equal scores. */
export interface StoredPoint {
  readonly id: string | number;
  vectors: PointVectors;
  payload: Payload;
  version: number;
  sequence: number;
}

export interface PointInput {
  readonly id: string | number;
  readonly vector: PointVectors;
  readonly payload?: Payload | null;
}

export const isSparse = (vector: unknown): vector is SparseVector =>
  typeof vector === 'object' && vector !== null && 'indices' in vector && 'values' in vector;

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((number) => typeof number === 'number');

/** @throws QdrantRefusal for what the server's parser refuses, before any collection is asked. */
export function readPoints(body: unknown): PointInput[] {
  const { points } = body as { points?: PointInput[] };
  if (!Array.isArray(points)) throw badFormat('data did not match any variant of untagged enum PointInsertOperations');
  for (const { id, vector } of points) {
    if (typeof id === 'string' ? !uuid.test(id) : !Number.isSafeInteger(id) || id < 0) {
      throw badFormat(
        `value ${String(id)} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
      );
    }
    const vectors = Object.values(vector);
    const readable = vectors.every((one) =>
      isSparse(one) ? isNumbers(one.indices) && isNumbers(one.values) : isNumbers(one),
    );
    if (!readable) throw badFormat('data did not match any variant of untagged enum VectorStruct');
    for (const one of vectors) if (isSparse(one)) checkSparse(one);
  }
  return points;
}

function checkSparse({ indices, values }: SparseVector): void {
  if (indices.length !== values.length) throw wrongInput('Sparse indices does not match values length', 422);
  if (new Set(indices).size !== indices.length) throw wrongInput('Sparse indices must be unique', 422);
  if (indices.some((index) => !Number.isInteger(index) || index < 0 || index >= 2 ** 32)) {
    throw badFormat('data did not match any variant of untagged enum VectorStruct');
  }
}

/** Cosine vectors are stored at length 1, in single precision. */
export function normalised(vector: readonly number[]): number[] {
  const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => Math.fround(norm > 0 ? x / norm : x));
}
