import { availableParallelism } from 'node:os';
import { redisVariables } from '@ragmesh/cache';
import { defineConfig, duration, int, oneOf, string, type ConfigOf } from '@ragmesh/config';

/** What the embedding service reads from its environment. */
export const embeddingConfig = defineConfig({
  EMBEDDING_MODEL: string().default('all-MiniLM-L6-v2').describe('Model that makes the vectors: name or name@revision'),
  APP_EMBEDDINGS_BACKEND: oneOf('local', 'mock')
    .default('local')
    .describe('Who embeds: `local` runs the model here, `mock` hashes words (for tests, not for search quality)'),
  EMBEDDING_WORKERS: int({ min: 1, max: 64 })
    .default(Math.min(2, availableParallelism()))
    .describe('Threads that run the model; each holds a copy of it'),
  EMBEDDING_CACHE_SIZE: int({ min: 1 }).default(10_000).describe('Vectors of chunks kept in memory for reuse'),
  EMBEDDING_QUERY_CACHE_SIZE: int({ min: 1 }).default(1_000).describe('Vectors of questions kept in memory for reuse'),
  EMBEDDING_CACHE_TTL: duration({ min: 0 })
    .default('7d')
    .describe('How long the vector of a chunk is kept; 0 keeps none'),
  EMBEDDING_QUERY_CACHE_TTL: duration({ min: 0 })
    .default('24h')
    .describe('How long the vector of a question is kept; 0 keeps none'),
  ...redisVariables,
});

export type EmbeddingConfig = ConfigOf<typeof embeddingConfig>;
