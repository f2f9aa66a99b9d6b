import { Module } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import type { Logger } from '@ragmesh/observability';
import { BreakersController } from './api/breakers.controller.js';
import { Calls } from './api/calls.js';
import { CollectionsController } from './api/collections.controller.js';
import { ContentController } from './api/content.controller.js';
import { DeadLetterSettlement } from './api/dead-letter-settlement.js';
import { DeadLettersController } from './api/dead-letters.controller.js';
import { EveryService } from './api/every-service.js';
import { SagasController } from './api/sagas.controller.js';
import { DocumentsController } from './api/documents.controller.js';
import { OperationsController } from './api/operations.controller.js';
import { ProbesController } from './api/probes.controller.js';
import { QueryController } from './api/query.controller.js';
import { SearchController } from './api/search.controller.js';
import { UploadsController } from './api/uploads.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { RouteMethods } from './http/route-methods.js';
import { IdempotencyStore } from './idempotency/idempotency-store.js';
import { IdempotentRequests } from './idempotency/idempotent-requests.js';
import { DiscoveryModule } from '@nestjs/core';
import { DescribedRoutes } from './openapi/described-routes.js';
import { ApiDescriptionController } from './openapi/api-description.controller.js';
import { Uploads } from './uploads/uploads.js';

/** Composition root: what the edge answers, and what it answers with. */
@Module({
  imports: [DiscoveryModule],
  controllers: [
    UploadsController,
    DocumentsController,
    ContentController,
    OperationsController,
    CollectionsController,
    SearchController,
    QueryController,
    DeadLettersController,
    SagasController,
    BreakersController,
    ProbesController,
    ApiDescriptionController,
  ],
  providers: [
    Calls,
    EveryService,
    DeadLetterSettlement,
    DescribedRoutes,
    Uploads,
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
