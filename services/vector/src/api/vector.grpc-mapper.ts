import type { MessageInitShape } from '@bufbuild/protobuf';
import type { vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { IndexedChunk, SearchHit } from '../adapters/embedded-index/indexed-point.js';
import { vectorFromBytes } from '../adapters/float32-bytes.js';

const MAX_TOP_K = 1_000;

/** @throws RagmeshError `REQUEST.INVALID` outside of 1 to 1000. */
export function topKOf({ topK }: { readonly topK: number }): number {
  if (topK >= 1 && topK <= MAX_TOP_K) return topK;
  throw new RagmeshError('REQUEST.INVALID', `top_k must be from 1 to ${MAX_TOP_K}.`, {
    field: 'top_k',
    limit: MAX_TOP_K,
  });
}

/** @throws RagmeshError `VECTOR.DIMENSION_MISMATCH` for bytes that are no float32 numbers. */
export function queryVectorOf({ vector }: Pick<vectorV1.SearchDenseRequest, 'vector'>): Float32Array {
  if (vector.byteLength > 0 && vector.byteLength % Float32Array.BYTES_PER_ELEMENT === 0) return vectorFromBytes(vector);
  const message = 'The vector must be float32 numbers of four bytes each.';
  throw new RagmeshError('VECTOR.DIMENSION_MISMATCH', message, { bytes: vector.byteLength });
}

/** @param hit a neighbour has no score of its own. */
export function toHit(hit: IndexedChunk & Partial<SearchHit>): MessageInitShape<typeof vectorV1.HitSchema> {
  const { pointId, chunkId, documentId, version, ordinal, score = 0, text, start, end, page, heading, metadata } = hit;
  return {
    ...{ pointId, chunkId, documentId, version: BigInt(version), ordinal, score, text, start, end, metadata },
    ...(page === null ? {} : { page }),
    ...(heading === null ? {} : { heading }),
  };
}
