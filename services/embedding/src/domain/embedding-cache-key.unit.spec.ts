import { describe, expect, it } from '@jest/globals';
import { embeddingCacheKey } from './embedding-cache-key.js';

describe('the cache key of a text', () => {
  it('is shared by texts that look the same', () => {
    const key = embeddingCacheKey('m@1', 'café\nnoir');
    expect(embeddingCacheKey('m@1', '  cafe\u0301\r\nnoir\n')).toBe(key);
    expect(key).toMatch(/^m@1:[0-9a-f]{64}$/);
  });

  it('differs by model, revision, case and wording', () => {
    const keys = [
      embeddingCacheKey('m@1', 'Café'),
      embeddingCacheKey('m@2', 'Café'),
      embeddingCacheKey('n@1', 'Café'),
      embeddingCacheKey('m@1', 'café'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});
