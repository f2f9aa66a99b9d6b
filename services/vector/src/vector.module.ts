import { Module, type FactoryProvider } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { readTlsFiles } from '@ragmesh/config';
import type { Logger } from '@ragmesh/observability';
import { Database } from '@ragmesh/postgres';
import { AccessRepository } from './adapters/access.repository.js';
import { DocumentIndexRepository } from './adapters/document-index.repository.js';
import { EmbeddedIndexes } from './adapters/embedded-index/embedded-indexes.js';
import { EmbeddedStore } from './adapters/embedded-store.js';
import { GenerationProgress } from './adapters/generation-progress.repository.js';
import { GenerationModels } from './adapters/generation-models.js';
import { GenerationRepository } from './adapters/generation.repository.js';
import { IndexReconciler } from './adapters/index-reconciler.js';
import { PgvectorSchema } from './adapters/pgvector/pgvector-schema.js';
import { PgvectorStore } from './adapters/pgvector/pgvector-store.js';
import { PointRepository } from './adapters/point.repository.js';
import { QdrantCollections } from './adapters/qdrant/qdrant-collections.js';
import { QdrantConnection } from './adapters/qdrant/qdrant-connection.js';
import { QdrantPoints } from './adapters/qdrant/qdrant-points.js';
import { QdrantStore } from './adapters/qdrant/qdrant-store.js';
import { SearchIndex } from './adapters/search-index.js';
import { VectorStore } from './adapters/vector-store.js';
import { VisibleRows } from './adapters/visible-rows.js';
import { AccessGrpcController } from './api/access.grpc-controller.js';
import { GenerationGrpcController } from './api/generation.grpc-controller.js';
import { VectorGrpcController } from './api/vector.grpc-controller.js';
import { ChangeAccess } from './commands/change-access.js';
import { CompareGenerations } from './commands/compare-generations.js';
import { ShowGeneration } from './commands/show-generation.js';
import { RetagPoints } from './consumers/access-changed.handler.js';
import { IndexChunks } from './consumers/chunks-embedded.handler.js';
import { RemoveDocument } from './consumers/remove-document.handler.js';
import { RemoveVersion } from './consumers/remove-version.handler.js';
import { ShowVersion } from './consumers/show-version.handler.js';
import type { VectorConfig } from './vector.config.js';

/** What every store is made of. */
interface StoreParts {
  readonly database: Database;
  readonly documents: DocumentIndexRepository;
  readonly rows: PointRepository;
  readonly generations: GenerationRepository;
  readonly visible: VisibleRows;
  readonly logger: Logger;
}

function qdrantStore(config: VectorConfig, parts: StoreParts): QdrantStore {
  const { QDRANT_URL: url = '', QDRANT_API_KEY: apiKey, QDRANT_TIMEOUT: seconds, QDRANT_AVERAGE_TERMS: terms } = config;
  const connection = new QdrantConnection({
    url,
    apiKey,
    timeoutMs: seconds * 1000,
    tls: readTlsFiles(config, 'QDRANT'),
  });
  const collections = new QdrantCollections(connection, config.QDRANT_COLLECTION);
  const points = new QdrantPoints(connection, collections, terms);
  return new QdrantStore({ ...parts, connection, collections, points });
}

const store: FactoryProvider<VectorStore> = {
  provide: VectorStore,
  inject: [CONFIG, LOGGER, Database, DocumentIndexRepository, PointRepository, GenerationRepository, VisibleRows],
  useFactory: (
    config: VectorConfig,
    logger: Logger,
    database: Database,
    documents: DocumentIndexRepository,
    ...[rows, generations, visible]: [PointRepository, GenerationRepository, VisibleRows]
  ) => {
    const parts = { database, documents, rows, generations, visible, logger };
    switch (config.VECTOR_STORE) {
      case 'embedded':
        return new EmbeddedStore({
          ...parts,
          index: new SearchIndex(new EmbeddedIndexes(), rows, generations, logger),
        });
      case 'qdrant':
        return qdrantStore(config, parts);
      case 'pgvector':
        return new PgvectorStore({ ...parts, schema: new PgvectorSchema(database) });
    }
  },
};

const access: FactoryProvider<AccessRepository> = {
  provide: AccessRepository,
  inject: [CONFIG, Database],
  useFactory: (config: VectorConfig, database: Database) =>
    new AccessRepository(database, config.VECTOR_STORE === 'embedded'),
};

/** Composition root: sync in, async in, out. */
@Module({
  controllers: [
    VectorGrpcController,
    GenerationGrpcController,
    AccessGrpcController,
    IndexChunks,
    ShowVersion,
    RemoveVersion,
    RemoveDocument,
    RetagPoints,
  ],
  providers: [
    PointRepository,
    DocumentIndexRepository,
    GenerationRepository,
    GenerationModels,
    GenerationProgress,
    ShowGeneration,
    CompareGenerations,
    ChangeAccess,
    access,
    VisibleRows,
    store,
    IndexReconciler,
  ],
  exports: [store, IndexReconciler],
})
export class VectorModule {}
