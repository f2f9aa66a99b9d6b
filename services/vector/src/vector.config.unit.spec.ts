import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { vectorConfig } from './vector.config.js';

describe('what the vector service reads from its environment', () => {
  it('is the embedded store when nothing is said', () => {
    expect(loadConfig(vectorConfig, {})).toMatchObject({ VECTOR_STORE: 'embedded', RECONCILE_INTERVAL_SECONDS: 300 });
  });

  it.each([
    [{ VECTOR_STORE: 'qdrant' }, 'QDRANT_URL'],
    [{ VECTOR_STORE: 'qdrant', QDRANT_URL: 'qdrant:6333' }, 'QDRANT_URL'],
    [{ QDRANT_COLLECTION: 'a b' }, 'QDRANT_COLLECTION'],
    [{ VECTOR_STORE: 'faiss' }, 'VECTOR_STORE'],
    [{ VECTOR_SECOND_STORE: 'pgvector' }, 'VECTOR_STORE must be qdrant when VECTOR_SECOND_STORE is pgvector'],
    [
      { VECTOR_STORE: 'pgvector', VECTOR_SECOND_STORE: 'pgvector' },
      'VECTOR_STORE must be qdrant when VECTOR_SECOND_STORE is pgvector',
    ],
  ])('names what is wrong with %j', (environment, name) => {
    expect(() => loadConfig(vectorConfig, environment)).toThrow(name);
  });
});
