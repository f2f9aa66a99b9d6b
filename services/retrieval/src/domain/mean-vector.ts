import { bytesOf, floatsOf, normalised } from './vector-bytes.js';

/** The mean of equally long vectors that follow one another, at length 1; float32, little endian. */
export function meanVector(vectors: Uint8Array, dimension: number): Uint8Array {
  const sum = new Float32Array(dimension);
  floatsOf(vectors).forEach((value, at) => (sum[at % dimension]! += value));
  return bytesOf(normalised(sum));
}
