import { Module, type FactoryProvider } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
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
import { RowInventory } from './adapters/row-inventory.js';
import { SearchIndex } from './adapters/search-index.js';
import { withSecondStore } from './adapters/second-store/open-second-store.js';
import { ShownStamps } from './adapters/shown-stamps.js';
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

const store: FactoryProvider<VectorStore> = {
  provide: VectorStore,
  inject: [
    ...[CONFIG, LOGGER, Database, DocumentIndexRepository],
    ...[PointRepository, GenerationRepository, VisibleRows, ShownStamps],
  ],
  useFactory: async (
    config: VectorConfig,
    logger: Logger,
    database: Database,
    documents: DocumentIndexRepository,
    ...[rows, generations, visible, shown]: [PointRepository, GenerationRepository, VisibleRows, ShownStamps]
  ) => {
    const parts = { database, documents, rows, generations, visible, shown, logger };
    switch (config.VECTOR_STORE) {
      case 'embedded':
        return new EmbeddedStore({
          ...parts,
          index: new SearchIndex(new EmbeddedIndexes(), rows, generations, logger),
        });
      case 'qdrant': {
        // Its client is a third of what this service loads.
        const { openQdrantStore } = await import('./adapters/qdrant/open-qdrant-store.js');
        return withSecondStore(openQdrantStore(config, parts), config, parts);
      }
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
    ShownStamps,
    RowInventory,
    store,
    IndexReconciler,
  ],
  exports: [store, IndexReconciler],
})
export class VectorModule {}
