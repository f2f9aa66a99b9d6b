import { describe, expect, it } from '@jest/globals';
import { checkMaxTokens } from './checked-request.js';

describe('the longest answer', () => {
  it('is what was asked for, and never more than the installation allows', () => {
    expect(checkMaxTokens(undefined, 1_024)).toBe(1_024);
    expect(checkMaxTokens(90, 1_024)).toBe(90);
    expect(checkMaxTokens(8_192, 1_024)).toBe(1_024);
  });

  it('has at least one token', () => {
    const refusal = { code: 'REQUEST.INVALID', details: { field: 'max_tokens', limit: 1 } };
    expect(() => checkMaxTokens(0, 1_024)).toThrow(expect.objectContaining(refusal));
  });
});
