import { describe, expect, it } from '@jest/globals';
import { MAX_TOP_K, parseSearchQuery } from './search-query.js';

const bare = { query: ' bees ', collection: '', mode: '', topK: 0 };

describe('parseSearchQuery', () => {
  it('fills in what the caller left out', () => {
    expect(parseSearchQuery(bare, 0.6)).toMatchObject({
      text: 'bees', collection: 'default', mode: 'hybrid', topK: 10, alpha: 0.6, rerank: false, expand: false, explain: false,
    }); // prettier-ignore
  });

  it('keeps what the caller says, zeros included', () => {
    const fields = {
      ...bare,
      collection: 'papers',
      mode: 'dense',
      topK: MAX_TOP_K,
      alpha: 0,
      minScore: 0,
      rerank: true,
    };
    const expected = { collection: 'papers', mode: 'dense', topK: MAX_TOP_K, alpha: 0, minScore: 0, rerank: true };
    expect(parseSearchQuery(fields, 0.6)).toMatchObject(expected);
  });

  it('takes any least score where words alone are searched, as BM25 has no upper limit', () => {
    const words = { ...bare, mode: 'lexical', minScore: 12.5 };
    expect(parseSearchQuery(words, 0.6).minScore).toBe(12.5);
    expect(parseSearchQuery({ ...bare, minScore: 12.5 }, 0.6, { mode: 'lexical' }).minScore).toBe(12.5);
    expect(parseSearchQuery({ ...words, rerank: true }, 0.6).minScore).toBe(12.5);
  });

  it('takes none above 1 where a model judges what words found', () => {
    const judged = (fields: object) => parseSearchQuery({ ...bare, mode: 'lexical', ...fields }, 0.6, {}, true);
    expect(() => judged({ minScore: 1.5, rerank: true })).toThrow(/min_score .* cross-encoder/);
    expect(judged({ minScore: 12.5 }).minScore).toBe(12.5);
  });

  it.each([
    ['mode', { mode: 'Hybrid' }],
    ['top_k', { topK: -1 }],
    ['top_k', { topK: MAX_TOP_K + 1 }],
    ['top_k', { topK: 2.5 }],
    ['alpha', { alpha: -0.1 }],
    ['alpha', { alpha: NaN }],
    ['min_score', { minScore: Infinity }],
    ['min_score', { minScore: 1.5 }],
    ['min_score', { mode: 'lexical', multiQuery: true, minScore: 12 }],
    ['min_score', { mode: 'lexical', minScore: Infinity }],
  ])('names %s when it is wrong', (field, fields) => {
    const attempt = () => parseSearchQuery({ ...bare, ...fields }, 0.6);
    expect(attempt).toThrow(expect.objectContaining({ code: 'REQUEST.INVALID', details: { field } }));
  });
});
