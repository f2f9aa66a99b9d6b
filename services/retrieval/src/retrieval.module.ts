import { Module, type OnModuleDestroy } from '@nestjs/common';
import { BUS, LOGGER } from '@ragmesh/bootstrap';
import { BestEffortPublisher, type BusDriver } from '@ragmesh/messaging';
import type { Logger } from '@ragmesh/observability';
import { AnswerGenerator } from './adapters/answer-generator.js';
import { CollectionModels } from './adapters/collection-models.js';
import { CollectionSettings } from './adapters/collection-settings.js';
import { PassageReranker } from './adapters/passage-reranker.js';
import { QueryEmbedder } from './adapters/query-embedder.js';
import { QueryWriter } from './adapters/query-writer.js';
import { ReaderScope } from './adapters/reader-scope.js';
import { ResponseCache } from './adapters/response-cache.js';
import { ResultCache } from './adapters/result-cache.js';
import { SimilarQuestions } from './adapters/similar-questions.js';
import { VectorIndex } from './adapters/vector-index.js';
import { CacheGrpcController } from './api/cache.grpc-controller.js';
import { RetrievalGrpcController } from './api/retrieval.grpc-controller.js';
import { AnswerQuery } from './commands/answer-query.js';
import { CachedAnswer } from './commands/cached-answer.js';
import { CachedSearch } from './commands/cached-search.js';
import { OptionalStep } from './commands/optional-step.js';
import { PrepareSearch } from './commands/prepare-search.js';
import { QuestionInContext } from './commands/question-in-context.js';
import { RankCandidates } from './commands/rank-candidates.js';
import { RerankCandidates } from './commands/rerank-candidates.js';
import { RewordQuestion } from './commands/reword-question.js';
import { SearchLegs } from './commands/search-legs.js';
import { Search } from './commands/search.js';
import { SelfCheck } from './commands/self-check.js';
import { SimilarResults } from './commands/similar-results.js';
import { WarmCache } from './commands/warm-cache.js';
import { WidenResults } from './commands/widen-results.js';
import { EvictHidden } from './consumers/evict-hidden.handler.js';
import { EvictRemovedDocument } from './consumers/evict-removed-document.handler.js';
import { EvictUpdatedDocument } from './consumers/evict-updated-document.handler.js';
import { RetrievalEvents } from './publishes/retrieval-events.js';

const publisher = {
  provide: BestEffortPublisher,
  inject: [BUS, LOGGER],
  useFactory: (bus: BusDriver, logger: Logger) => new BestEffortPublisher('retrieval', bus, logger),
};

const steps = [
  QuestionInContext,
  RewordQuestion,
  SearchLegs,
  RerankCandidates,
  RankCandidates,
  SelfCheck,
  WidenResults,
  OptionalStep,
];
const commands = [PrepareSearch, Search, CachedSearch, SimilarResults, WarmCache, AnswerQuery, CachedAnswer];
const dependencies = [
  CollectionModels,
  CollectionSettings,
  QueryEmbedder,
  VectorIndex,
  PassageReranker,
  QueryWriter,
  AnswerGenerator,
];

/** Composition root: sync in, async in, decisions, out. */
@Module({
  controllers: [RetrievalGrpcController, CacheGrpcController, EvictUpdatedDocument, EvictRemovedDocument, EvictHidden],
  providers: [
    ...commands,
    ...steps,
    ...dependencies,
    ResultCache,
    ResponseCache,
    ReaderScope,
    SimilarQuestions,
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
