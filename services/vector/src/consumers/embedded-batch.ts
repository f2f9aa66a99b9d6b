import type { eventsV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { IndexedPoint } from '../adapters/embedded-index/indexed-point.js';
import { vectorFromBytes } from '../adapters/float32-bytes.js';
import { chunkId, pointId } from '../adapters/point-id.js';
import type { PointBatch } from '../adapters/point.repository.js';
import type { Metadata } from '../domain/metadata-filter.js';

/** A batch before it is known which generation it goes to. */
export type EmbeddedBatch = Omit<PointBatch, 'generation'>;

/** The batch as a generation has it: its points have ids of their own, so that nobody takes one generation's for another's. */
export function inGeneration(batch: EmbeddedBatch, generation: number): PointBatch {
  if (generation === 0) return { ...batch, generation };
  const points = batch.points.map((point) => ({ ...point, pointId: pointId(batch.tenant, point.chunkId, generation) }));
  return { ...batch, generation, points };
}

/**
 * The points of a batch.
 * @throws RagmeshError `EVENT.INVALID` for a batch that names no document or no chunk, or an ordinal twice;
 * `VECTOR.DIMENSION_MISMATCH` when the vectors' bytes are not chunks × dimension float32; `EMBEDDING.INVALID_VECTOR` for a
 * vector with a number that is not finite, or of zeros only. All permanent.
 */
export function readEmbeddedBatch(tenant: string, payload: eventsV1.ChunksEmbedded): EmbeddedBatch {
  const { documentId, collection, chunks, model, dimension, vectors } = payload;
  const version = Number(payload.version);
  if (!documentId || !collection || version < 1 || chunks.length === 0) {
    throw new RagmeshError(
      'EVENT.INVALID',
      'The batch needs a document, a collection, a version and at least one chunk.',
    );
  }
  if (new Set(chunks.map(({ ordinal }) => ordinal)).size < chunks.length) {
    throw new RagmeshError('EVENT.INVALID', 'The batch has two chunks of the same ordinal.', { documentId, version });
  }
  const expected = chunks.length * dimension * Float32Array.BYTES_PER_ELEMENT;
  if (dimension < 1 || vectors.byteLength !== expected) {
    const message = `The batch has ${vectors.byteLength} bytes of vectors instead of ${expected}.`;
    throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, {
      documentId,
      version,
      chunks: chunks.length,
      dimension,
    });
  }
  const shared = storableMetadata(payload.metadata ?? {});
  const size = dimension * Float32Array.BYTES_PER_ELEMENT;
  const points = chunks.map((chunk, index): IndexedPoint => {
    const id = chunkId(documentId, version, chunk.ordinal);
    const metadata =
      chunk.metadata && Object.keys(chunk.metadata).length > 0
        ? { ...shared, ...storableMetadata(chunk.metadata) }
        : shared;
    const vector = vectorFromBytes(vectors.subarray(index * size, (index + 1) * size));
    assertUsable(vector, { documentId, version, ordinal: chunk.ordinal });
    return {
      ...{ documentId, version, ordinal: chunk.ordinal, chunkId: id, pointId: pointId(tenant, id) },
      ...{ text: storableText(chunk.text), start: chunk.start, end: chunk.end, page: chunk.page ?? null },
      ...{ heading: chunk.heading === undefined ? null : storableText(chunk.heading), metadata, vector },
    };
  });
  return { tenant, documentId, collection, version, model, dimension, vectors, points };
}

function assertUsable(vector: Float32Array, place: { documentId: string; version: number; ordinal: number }): void {
  const squares = vector.reduce((sum, x) => sum + x * x, 0);
  if (Number.isFinite(squares) && squares > 0) return;
  throw new RagmeshError(
    'EMBEDDING.INVALID_VECTOR',
    `The vector of chunk ${place.ordinal} is zero or not finite.`,
    place,
  );
}

/** Postgres stores no NUL; a replacement of the same length keeps offsets true. */
const storableText = (text: string): string => text.replaceAll('\0', '\ufffd');

function storableMetadata(metadata: object): Metadata {
  const json = JSON.stringify(metadata);
  return json.includes('\\u0000') ? (JSON.parse(json, replaceNul) as Metadata) : (metadata as Metadata);
}

const replaceNul = (_name: string, value: unknown): unknown => {
  if (typeof value === 'string') return storableText(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [storableText(name), inner]));
};
