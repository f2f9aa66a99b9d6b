import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import type { Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { Database } from '@ragmesh/postgres';
import { SagaEngines, SagaTimer } from '@ragmesh/saga';
import { BlobCollector } from './adapters/blob-collector.js';
import { openBlobStore } from './adapters/blob-store-choice.js';
import { BlobStore } from './adapters/blob-store.js';
import { ChunkRepository } from './adapters/chunk.repository.js';
import { CollectionAccess } from './adapters/collection-access.repository.js';
import { ContentReader } from './adapters/content-reader.js';
import { GenerationCollector } from './adapters/generation-collector.js';
import { GenerationIndex } from './adapters/generation-index.js';
import { GenerationRepository } from './adapters/generation.repository.js';
import { DocumentRepository } from './adapters/document.repository.js';
import { DocumentWatch } from './adapters/document-watch.js';
import { SagaCollector } from './adapters/saga-collector.js';
import { TextExtractor } from './adapters/text-extractor.js';
import { WaitingIngestions } from './adapters/waiting-ingestions.js';
import { TimelineRepository } from './adapters/timeline.repository.js';
import { AccessGrpcController } from './api/access.grpc-controller.js';
import { DocumentGrpcController } from './api/document.grpc-controller.js';
import { ReindexGrpcController } from './api/reindex.grpc-controller.js';
import { OperationGrpcController } from './api/operation.grpc-controller.js';
import { LifecycleGrpcController } from './api/lifecycle.grpc-controller.js';
import { UploadGrpcController } from './api/upload.grpc-controller.js';
import { AcceptDocument } from './commands/accept-document.js';
import { AdvanceReindex } from './commands/advance-reindex.js';
import { CutDocument } from './commands/cut-document.js';
import { VersionCuts } from './commands/version-cuts.js';
import { BuildGeneration } from './commands/build-generation.js';
import { CheckGeneration } from './commands/check-generation.js';
import { ReindexProcess } from './commands/reindex-process.js';
import { CancelDocument } from './commands/cancel-document.js';
import { ChangeDocumentAccess } from './commands/change-document-access.js';
import { ChunkDocument } from './commands/chunk-document.js';
import { DeleteDocument } from './commands/delete-document.js';
import { KnownDocument } from './commands/known-document.js';
import { IngestionProcess } from './commands/ingestion-process.js';
import { RetryDocument } from './commands/retry-document.js';
import { ChunkCreatedDocument } from './consumers/chunk-created-document.handler.js';
import { ChunkUpdatedDocument } from './consumers/chunk-updated-document.handler.js';
import { CountIndexedBatch } from './consumers/count-indexed-batch.handler.js';
import { DiscardChunks } from './consumers/discard-chunks.handler.js';
import { FailIngestion } from './consumers/fail-ingestion.handler.js';
import { NoteCollectionAccess } from './consumers/note-collection-access.handler.js';
import { NoteRemovedPoints } from './consumers/note-removed-points.handler.js';
import { NoteShownVersion } from './consumers/note-shown-version.handler.js';
import { ResumeIngestion } from './consumers/resume-ingestion.handler.js';
import { AdmissionWorker } from './sagas/admission-worker.js';
import { QueuePatience } from './sagas/queue-patience.js';
import { ReindexWorker } from './sagas/reindex-worker.js';
import { DocumentSagas } from './sagas/document-sagas.js';

const blobStore = {
  provide: BlobStore,
  inject: [CONFIG],
  useFactory: openBlobStore,
};

/** Composition root: sync in, async in, decisions, out. */
@Module({
  controllers: [
    UploadGrpcController,
    LifecycleGrpcController,
    DocumentGrpcController,
    OperationGrpcController,
    AccessGrpcController,
    ReindexGrpcController,
    ChunkCreatedDocument,
    ChunkUpdatedDocument,
    CountIndexedBatch,
    NoteShownVersion,
    NoteRemovedPoints,
    DiscardChunks,
    FailIngestion,
    ResumeIngestion,
    NoteCollectionAccess,
  ],
  providers: [
    AcceptDocument,
    DeleteDocument,
    RetryDocument,
    CancelDocument,
    ChunkDocument,
    IngestionProcess,
    DocumentSagas,
    ReindexProcess,
    AdvanceReindex,
    VersionCuts,
    CutDocument,
    BuildGeneration,
    CheckGeneration,
    ReindexWorker,
    AdmissionWorker,
    QueuePatience,
    WaitingIngestions,
    GenerationRepository,
    GenerationIndex,
    GenerationCollector,
    SagaCollector,
    DocumentRepository,
    CollectionAccess,
    ChangeDocumentAccess,
    KnownDocument,
    ChunkRepository,
    TimelineRepository,
    ContentReader,
    TextExtractor,
    DocumentWatch,
    BlobCollector,
    blobStore,
  ],
})
export class DocumentModule implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #timer: SagaTimer;

  constructor(database: Database, outbox: Outbox, sagas: SagaEngines, @Inject(LOGGER) logger: Logger) {
    this.#timer = new SagaTimer(database, outbox, sagas, logger);
  }

  onApplicationBootstrap(): void {
    this.#timer.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#timer.stop();
  }
}
