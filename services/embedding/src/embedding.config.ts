import { availableParallelism } from 'node:os';
import { redisVariables } from '@ragmesh/cache';
import {
  bytes,
  defineConfig,
  duration,
  int,
  oneOf,
  secret,
  string,
  timeout,
  url,
  type ConfigOf,
} from '@ragmesh/config';

/** What the embedding service reads from its environment. */
export const embeddingConfig = defineConfig({
  EMBEDDING_MODEL: string().default('all-MiniLM-L6-v2').describe('Model that makes the vectors: name or name@revision'),
  APP_EMBEDDINGS_BACKEND: oneOf('local', 'openai', 'mock')
    .default('local')
    .describe(
      'Who embeds: `local` runs the model here, `openai` calls a provider that speaks the OpenAI API, `mock` hashes words (for tests, not for search quality)',
    ),
  EMBEDDING_FALLBACK_MODEL: string()
    .optional()
    .describe('Smaller local model that questions are embedded with while EMBEDDING_MODEL cannot be had'),
  RERANK_MODEL: string()
    .optional()
    .describe('Cross-encoder that judges passages against a question: name or name@revision; none unless set'),
  EMBEDDING_WORKERS: int({ min: 1, max: 64 })
    .default(Math.min(2, availableParallelism()))
    .describe('Threads that run a model; each holds a copy of it'),
  EMBEDDING_MEMORY_BUDGET: bytes({ min: 1 })
    .default('1gb')
    .describe('Most memory for the weights of models in one process; what was used least recently makes room'),
  EMBEDDING_BASE_URL: url('http', 'https')
    .optional()
    .describe('Base URL of the provider of vectors; OPENAI_BASE_URL unless set'),
  EMBEDDING_API_KEY: secret().optional().describe('Key for EMBEDDING_BASE_URL; OPENAI_API_KEY unless set'),
  OPENAI_BASE_URL: url('http', 'https').default('https://api.openai.com/v1').describe('Base URL of the provider'),
  OPENAI_API_KEY: secret().optional().describe('Key for OPENAI_BASE_URL; local servers need none'),
  VECTOR_DIM: int({ min: 1, max: 16_384 })
    .optional()
    .describe('Length of the vectors to ask the provider for; its own unless set'),
  EMBEDDING_BATCH_SIZE: int({ min: 1, max: 2048 }).default(64).describe('Most texts in one request to the provider'),
  EMBEDDING_TIMEOUT: timeout({ min: 0.05 })
    .default('30s')
    .describe('Longest time one request to the provider may take'),
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
