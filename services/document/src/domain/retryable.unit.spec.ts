import { expect, it } from '@jest/globals';
import { isRetryable } from './retryable.js';

it.each([
  ['STORAGE.UNAVAILABLE', true],
  ['DOCUMENT.CANCELLED', true],
  ['OF.NEXT_RELEASE', true],
  ['DOCUMENT.EMPTY', false],
])('a document that failed for %s may be tried again: %s', (code, expected) => {
  expect(isRetryable(code)).toBe(expected);
});
