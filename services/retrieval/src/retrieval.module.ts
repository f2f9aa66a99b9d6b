import { Module, type OnModuleDestroy } from '@nestjs/common';
import { BUS, LOGGER } from '@ragmesh/bootstrap';
import { BestEffortPublisher, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { AnswerGenerator } from './adapters/answer-generator.js';
import { QueryEmbedder } from './adapters/query-embedder.js';
import { ResultCache } from './adapters/result-cache.js';
import { VectorIndex } from './adapters/vector-index.js';
import { RetrievalGrpcController } from './api/retrieval.grpc-controller.js';
import { AnswerQuery } from './commands/answer-query.js';
import { CachedSearch } from './commands/cached-search.js';
import { Search } from './commands/search.js';
import { EvictRemovedDocument } from './consumers/evict-removed-document.handler.js';
import { EvictUpdatedDocument } from './consumers/evict-updated-document.handler.js';
import { RetrievalEvents } from './publishes/retrieval-events.js';

const publisher = {
  provide: BestEffortPublisher,
  inject: [BUS, LOGGER],
  useFactory: (bus: BusDriver, logger: Logger) => new BestEffortPublisher('retrieval', bus, logger),
};

/** Composition root: sync in, async in, decisions, out. */
@Module({
  controllers: [RetrievalGrpcController, EvictUpdatedDocument, EvictRemovedDocument],
  providers: [
    Search,
    CachedSearch,
    ResultCache,
    AnswerQuery,
    QueryEmbedder,
    VectorIndex,
    AnswerGenerator,
    RetrievalEvents,
    publisher,
  ],
})
export class RetrievalModule implements OnModuleDestroy {
  constructor(private readonly publisher: BestEffortPublisher) {}

  async onModuleDestroy(): Promise<void> {
    await this.publisher.close();
  }
}
