/** A vector of its own buffer from float32, little endian, as they travel and are stored. */
export function vectorFromBytes(bytes: Uint8Array): Float32Array {
  const vector = new Float32Array(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(vector.buffer).set(bytes); // not a view: bytes off the wire need not be aligned
  return vector;
}
