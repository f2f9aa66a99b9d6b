import { describe, expect, it } from '@jest/globals';
import { toVectorBytes } from './vector-bytes.js';

describe('toVectorBytes', () => {
  it('writes one vector after another as little-endian float32', () => {
    const bytes = toVectorBytes([Float32Array.of(1, -2), Float32Array.of(0.5, 0)]);
    // IEEE 754: 1 = 3f800000, -2 = c0000000, 0.5 = 3f000000
    expect(Buffer.from(bytes).toString('hex')).toBe('0000803f' + '000000c0' + '0000003f' + '00000000');
  });

  it('reads views into larger buffers where they begin', () => {
    const bytes = toVectorBytes([Float32Array.of(7, 1, 9).subarray(1, 2)]);
    expect(Buffer.from(bytes).toString('hex')).toBe('0000803f');
  });

  it('makes nothing of nothing', () => {
    expect(toVectorBytes([])).toHaveLength(0);
  });
});
