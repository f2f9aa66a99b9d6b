const FLOAT_BYTES = 4;

/** The vectors of a batch. @param bytes texts × dimension float32, little endian. */
export function vectorsOf(bytes: Uint8Array, dimension: number): Float32Array[] {
  const size = dimension * FLOAT_BYTES;
  return Array.from(
    { length: bytes.length / size },
    (_, index) => new Float32Array(Uint8Array.from(bytes.subarray(index * size, (index + 1) * size)).buffer), // a Buffer's own slice would share its pool
  );
}

/** The first `dimensions` components at length 1; a vector that is cut to nothing stays zero. */
export function shortened(vector: Float32Array, dimensions: number): Float32Array {
  if (dimensions >= vector.length) return vector;
  const head = vector.slice(0, dimensions);
  const length = Math.hypot(...head);
  return length === 0 ? head : head.map((component) => component / length);
}

/** A vector as JSON carries it. */
export const encoded = (vector: Float32Array, format: 'float' | 'base64'): number[] | string =>
  format === 'float'
    ? [...vector]
    : Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
