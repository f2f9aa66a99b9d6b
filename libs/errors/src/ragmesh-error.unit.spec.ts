import { describe, expect, it } from '@jest/globals';
import { RagmeshError, asRagmeshError } from './index.js';

describe('RagmeshError', () => {
  it('knows from its code whether a retry can help', () => {
    expect(new RagmeshError('STORAGE.FULL', 'The disk is full.').retry).toBe('transient');
    expect(new RagmeshError('DOCUMENT.CORRUPT', 'The file is damaged.').retry).toBe('permanent');
  });

  it('keeps an unknown failure as the cause and shows a sentence without its text', () => {
    const cause = new TypeError('secret internals');
    const error = asRagmeshError(cause);
    expect(error.code).toBe('INTERNAL.UNEXPECTED');
    expect(error.cause).toBe(cause);
    expect(error.message).not.toContain('secret');
  });
});
