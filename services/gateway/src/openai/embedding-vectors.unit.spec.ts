import { describe, expect, it } from '@jest/globals';
import { encoded, shortened, vectorsOf } from './embedding-vectors.js';

const vectors = [
  [0.6, 0.8, 0],
  [0, 0, 1],
].map((components) => Float32Array.from(components));
const bytes = Buffer.concat([Buffer.from('before'), ...vectors.map(({ buffer }) => Buffer.from(buffer))]);

describe('embedding vectors', () => {
  it('are read from bytes that share a larger buffer at any offset', () => {
    const read = vectorsOf(bytes.subarray(6), 3);
    expect(read).toEqual(vectors);
    for (const { buffer } of read) expect(buffer.byteLength).toBe(12);
  });

  it('are cut to length 1, and stay as they are when nothing is cut', () => {
    expect([...shortened(Float32Array.of(3, 4, 12), 2)]).toEqual([...Float32Array.of(0.6, 0.8)]);
    expect(shortened(vectors[0]!, 3)).toBe(vectors[0]);
    expect([...shortened(vectors[1]!, 2)]).toEqual([0, 0]);
  });

  it('travel as numbers, or as little-endian bytes in base64', () => {
    const [vector] = vectorsOf(bytes.subarray(6), 3);
    const decoded = Buffer.from(encoded(vector!, 'base64') as string, 'base64');
    expect([0, 4, 8].map((offset) => decoded.readFloatLE(offset))).toEqual(encoded(vector!, 'float'));
  });
});
