import { describe, expect, it } from '@jest/globals';
import { estimateTokens } from './token-estimate.js';

describe('the token estimate', () => {
  it('counts words, marks and ideographs, and the two special tokens', () => {
    expect(estimateTokens('', 256)).toBe(2);
    expect(estimateTokens('The river froze.', 256)).toBe(6);
    expect(estimateTokens('东京，日本', 256)).toBe(7);
  });

  it('splits long words into pieces and never exceeds the limit', () => {
    expect(estimateTokens('electroencephalography', 256)).toBeGreaterThan(4);
    expect(estimateTokens('word '.repeat(100_000), 256)).toBe(256);
    expect(estimateTokens('x'.repeat(100_000), 256)).toBe(256);
  });
});
