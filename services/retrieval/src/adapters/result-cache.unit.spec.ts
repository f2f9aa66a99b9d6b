import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { loadConfig } from '@ragmesh/config';
import { parseSearchQuery, type SearchFields } from '../domain/search-query.js';
import { retrievalConfig } from '../retrieval.config.js';
import { ResponseCache } from './response-cache.js';
import { ResultCache } from './result-cache.js';

function keyOf(fields: Partial<SearchFields>, environment: Record<string, string> = {}): string {
  const config = loadConfig(retrievalConfig, environment);
  const logger = createLogger('retrieval', 'silent');
  const cache = new ResultCache(config, logger, new ResponseCache(config, logger));
  return cache.keyOf('default', parseSearchQuery({ query: 'otters', collection: 'rivers', ...fields }, 0.6));
}

describe('the key of a search', () => {
  it('changes with the model that embeds, unless nothing is embedded', () => {
    const other = { EMBEDDING_MODEL: 'other@1' };
    expect(keyOf({}, other)).not.toBe(keyOf({}));
    expect(keyOf({ mode: 'dense' }, other)).not.toBe(keyOf({ mode: 'dense' }));
    expect(keyOf({}, { APP_EMBEDDINGS_BACKEND: 'mock' })).not.toBe(keyOf({}));
    expect(keyOf({ mode: 'lexical' }, other)).toBe(keyOf({ mode: 'lexical' }));
  });

  it('changes with the cross-encoder that reranks, where one does', () => {
    const one = { APP_RERANK_BACKEND: 'cross-encoder', RERANK_MODEL: 'one' };
    const other = { ...one, RERANK_MODEL: 'other' };
    expect(keyOf({ rerank: true }, one)).not.toBe(keyOf({ rerank: true }, other));
    expect(keyOf({}, one)).toBe(keyOf({}, other));
    expect(keyOf({ rerank: true }, { RERANK_MODEL: 'one' })).toBe(keyOf({ rerank: true }, { RERANK_MODEL: 'other' }));
  });
});
