import { describe, expect, it } from '@jest/globals';
import { MAX_QUERY_CHARACTERS, normaliseQuery } from './query-text.js';

describe('normaliseQuery', () => {
  it('trims and composes, so that the same question is the same text', () => {
    expect(normaliseQuery('  Wie groß ist das Menu\u0308? \n')).toBe('Wie groß ist das Menü?');
  });

  it('counts characters, not UTF-16 units', () => {
    expect(normaliseQuery('😀'.repeat(MAX_QUERY_CHARACTERS))).toHaveLength(2 * MAX_QUERY_CHARACTERS);
  });

  it.each([
    ['nothing', undefined, /string/],
    ['a number', 7, /string/],
    ['an empty text', '', /empty/],
    ['white space', ' \n\u3000', /empty/],
    ['NUL', 'a\0b', /NUL/],
    ['a lone surrogate', 'a\ud800b', /lone surrogate/],
    ['one character too many', 'x'.repeat(MAX_QUERY_CHARACTERS + 1), /8000/],
    ['ten megabytes', 'x'.repeat(10_000_000), /8000/],
  ])('refuses %s and names the field', (_, query, problem) => {
    const attempt = () => normaliseQuery(query);
    expect(attempt).toThrow(problem);
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'REQUEST.INVALID', details: { field: 'query', limit: 8_000 } }),
    );
  });
});
