import { Module } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { EgressClient, type EgressConfig } from '@ragmesh/egress';
import type { Logger } from '@ragmesh/observability';
import { AccessController } from './api/access.controller.js';
import { KeysController } from './api/keys.controller.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditRepository } from './audit/audit.repository.js';
import { AuditTrail } from './audit/audit-trail.js';
import { Authentication } from './auth/authentication.js';
import { BreakersController } from './api/breakers.controller.js';
import { CacheController } from './api/cache.controller.js';
import { Calls } from './api/calls.js';
import { CollectionsController } from './api/collections.controller.js';
import { ContentController } from './api/content.controller.js';
import { ConversationsController } from './api/conversations.controller.js';
import { DeadLetterSettlement } from './api/dead-letter-settlement.js';
import { DeadLettersController } from './api/dead-letters.controller.js';
import { EveryService } from './api/every-service.js';
import { GenerationsController } from './api/generations.controller.js';
import { FeedbackController } from './api/feedback.controller.js';
import { QuestionsController } from './api/questions.controller.js';
import { QuestionSources } from './api/questions.sources.js';
import { QuestionWriter } from './api/questions.writer.js';
import { SettingsController } from './api/settings.controller.js';
import { SagasController } from './api/sagas.controller.js';
import { DocumentsController } from './api/documents.controller.js';
import { LanguageModelNames } from './api/language-model-names.js';
import { RegisteredModelsController } from './api/models.controller.js';
import { OperationsController } from './api/operations.controller.js';
import { ProbesController } from './api/probes.controller.js';
import { QueryController } from './api/query.controller.js';
import { SearchController } from './api/search.controller.js';
import { UploadsController } from './api/uploads.controller.js';
import { UsageController } from './api/usage.controller.js';
import { UsersController } from './api/users.controller.js';
import { ApiDocumentsController } from './compat/api-documents.controller.js';
import { ApiQueryController } from './compat/api-query.controller.js';
import { GenerateQuestionsController } from './compat/generate-questions.controller.js';
import { HealthController } from './compat/health.controller.js';
import { IndexController } from './compat/index.controller.js';
import { IndexDocuments } from './compat/index-documents.js';
import { ReindexController } from './compat/reindex.controller.js';
import { RootQueryController } from './compat/root-query.controller.js';
import { SystemHealthCheck } from './compat/system-health.js';
import { FlagsController } from './flags/flags.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RouteMethods } from './http/route-methods.js';
import { IdempotencyStore } from './idempotency/idempotency-store.js';
import { IdempotentRequests } from './idempotency/idempotent-requests.js';
import { DiscoveryModule } from '@nestjs/core';
import { ChatController } from './openai/chat.controller.js';
import { EmbeddingsController } from './openai/embeddings.controller.js';
import { ModelsController } from './openai/models.controller.js';
import { ServedModels } from './openai/served-models.js';
import { DescribedRoutes } from './openapi/described-routes.js';
import { ApiDescriptionController } from './openapi/api-description.controller.js';
import { QuotaRepository } from './quota/quota.repository.js';
import { QuotaSettings } from './quota/quota-settings.js';
import { Quotas } from './quota/quotas.js';
import { QuotasController } from './quota/quotas.controller.js';
import { TokenMeter } from './quota/token-meter.js';
import { TokenUseRepository } from './quota/token-use.repository.js';
import { IdempotentUploads } from './uploads/idempotent-uploads.js';
import { Uploads } from './uploads/uploads.js';
import { UrlUploads } from './uploads/url-uploads.js';

/** Composition root: what the edge answers, and what it answers with. */
@Module({
  imports: [DiscoveryModule],
  controllers: [
    UploadsController,
    DocumentsController,
    ContentController,
    OperationsController,
    CollectionsController,
    GenerationsController,
    SearchController,
    QueryController,
    ConversationsController,
    FeedbackController,
    QuestionsController,
    DeadLettersController,
    SagasController,
    BreakersController,
    SettingsController,
    FlagsController,
    UsageController,
    KeysController,
    AccessController,
    UsersController,
    QuotasController,
    AuditController,
    RegisteredModelsController,
    CacheController,
    ChatController,
    EmbeddingsController,
    ModelsController,
    RootQueryController,
    ApiQueryController,
    ApiDocumentsController,
    IndexController,
    ReindexController,
    GenerateQuestionsController,
    HealthController,
    ProbesController,
    ApiDescriptionController,
  ],
  providers: [
    Authentication,
    AuditRepository,
    AuditTrail,
    QuotaRepository,
    QuotaSettings,
    TokenUseRepository,
    Quotas,
    TokenMeter,
    Calls,
    QuestionSources,
    QuestionWriter,
    EveryService,
    ServedModels,
    LanguageModelNames,
    IndexDocuments,
    SystemHealthCheck,
    DeadLetterSettlement,
    DescribedRoutes,
    IdempotentUploads,
    Uploads,
    UrlUploads,
    { provide: EgressClient, useFactory: (config: EgressConfig) => new EgressClient(config), inject: [CONFIG] },
    IdempotencyStore,
    IdempotentRequests,
    RouteMethods,
    {
      provide: ProblemFilter,
      useFactory: (logger: Logger, routes: RouteMethods) => new ProblemFilter(logger, routes),
      inject: [LOGGER, RouteMethods],
    },
  ],
})
export class GatewayModule {}
