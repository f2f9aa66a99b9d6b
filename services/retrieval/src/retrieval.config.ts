import { redisVariables, resultCacheVariables } from '@ragmesh/cache';
import { defineConfig, duration, number, oneOf, string, timeout, type ConfigOf } from '@ragmesh/config';
import { DEFAULT_ALPHA } from './domain/fusion.js';
import { DEFAULT_RERANK_ALPHA } from './domain/ranker.js';

/** What the retrieval service reads from its environment. */
export const retrievalConfig = defineConfig({
  SEARCH_ALPHA: number({ min: 0, max: 1 })
    .default(DEFAULT_ALPHA)
    .describe('Share of the dense leg in hybrid search when a request names none'),
  SEARCH_EMBED_TIMEOUT: timeout({ min: 0.01 })
    .default('5s')
    .describe('Longest wait for the vector of a question; after it the search is lexical only'),
  SEARCH_LEG_TIMEOUT: timeout({ min: 0.01 })
    .default('5s')
    .describe('Longest wait for one leg; after it the search goes on with the other'),
  SEARCH_WRITING_TIMEOUT: timeout({ min: 0.01 })
    .default('10s')
    .describe(
      'Longest wait for each thing a language model writes or judges for a search; after it the search goes on',
    ),
  SEARCH_RERANK_TIMEOUT: timeout({ min: 0.01 })
    .default('5s')
    .describe('Longest wait for the cross-encoder; after it the order stays'),
  APP_RERANK_BACKEND: oneOf('stub', 'cross-encoder', 'disabled')
    .default('stub')
    .describe(
      'What `rerank: true` uses: `stub` blends lexical and dense scores, without a model; `cross-encoder` reads question ' +
        'and passages together, with the model of the embedding service',
    ),
  APP_RERANK_ALPHA: number({ min: 0, max: 1 })
    .default(DEFAULT_RERANK_ALPHA)
    .describe('Share of the dense score in that blend'),
  EMBEDDING_MODEL: string()
    .default('all-MiniLM-L6-v2')
    .describe('Model that makes the vectors, as the embedding service has it: what another one found is not served'),
  APP_EMBEDDINGS_BACKEND: oneOf('local', 'openai', 'mock')
    .default('local')
    .describe('Who embeds, as the embedding service has it, for the same reason'),
  RERANK_MODEL: string().optional().describe('Cross-encoder, as the embedding service has it, for the same reason'),
  CACHE_SIMILARITY: number({ min: 0.8, max: 1 })
    .optional()
    .describe('Cosine from which two questions share their results; without it only equal questions do'),
  RESPONSE_CACHE_TTL: duration({ min: 0 })
    .default('30m')
    .describe(
      'How long a whole answer is kept when nothing it was made from changes; 0, as with CACHE_TTL_SECONDS, keeps none',
    ),
  ...resultCacheVariables,
  ...redisVariables,
});
export type RetrievalConfig = ConfigOf<typeof retrievalConfig>;
