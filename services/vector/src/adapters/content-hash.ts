import { createHash } from 'node:crypto';
import type { IndexedPoint } from './embedded-index/indexed-point.js';

/**
 * First 64 bits of SHA-256 over model, text and vector, as a signed number: the column `point.hash`, whose migration
 * computes the same in SQL. Differs when a store's copy of a point is not the row's any more.
 */
export function contentHash(model: string, { text, vector }: Pick<IndexedPoint, 'text' | 'vector'>): bigint {
  const hash = createHash('sha256').update(`${model}\n${text}\n`);
  if (vector) hash.update(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  return hash.digest().readBigInt64BE(0);
}
