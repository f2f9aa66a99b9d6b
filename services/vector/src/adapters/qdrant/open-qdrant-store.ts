import { readTlsFiles } from '@ragmesh/config';
import type { VectorConfig } from '../../vector.config.js';
import { QdrantCollections } from './qdrant-collections.js';
import { QdrantConnection } from './qdrant-connection.js';
import { QdrantPoints } from './qdrant-points.js';
import { QdrantStore, type QdrantStoreParts } from './qdrant-store.js';

type StoreParts = Omit<QdrantStoreParts, 'connection' | 'collections' | 'points'>;

/** The store on the Qdrant that the configuration names; nothing is asked of it yet. */
export function openQdrantStore(config: VectorConfig, parts: StoreParts): QdrantStore {
  const { QDRANT_URL: url = '', QDRANT_API_KEY: apiKey, QDRANT_TIMEOUT: seconds, QDRANT_AVERAGE_TERMS: terms } = config;
  const tls = readTlsFiles(config, 'QDRANT');
  const connection = new QdrantConnection({ url, apiKey, timeoutMs: seconds * 1000, tls });
  const collections = new QdrantCollections(connection, config.QDRANT_COLLECTION);
  const points = new QdrantPoints(connection, collections, terms);
  return new QdrantStore({ ...parts, connection, collections, points });
}
