/** The vectors one after another as float32, little endian on every machine: how vectors travel in events and answers. */
export function toVectorBytes(vectors: readonly Float32Array[]): Uint8Array<ArrayBuffer> {
  const values = vectors.reduce((sum, { length }) => sum + length, 0);
  const view = new DataView(new ArrayBuffer(values * Float32Array.BYTES_PER_ELEMENT));
  let at = 0;
  for (const vector of vectors) {
    for (const value of vector) {
      view.setFloat32(at, value, true);
      at += Float32Array.BYTES_PER_ELEMENT;
    }
  }
  return new Uint8Array(view.buffer);
}
