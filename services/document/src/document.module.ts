import { join } from 'node:path';
import { Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import type { Logger } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { Database } from '@ragmesh/postgres';
import { SagaTimer } from '@ragmesh/saga';
import { BlobCollector } from './adapters/blob-collector.js';
import { FolderBlobStore } from './adapters/blob-store.js';
import { ChunkRepository } from './adapters/chunk.repository.js';
import { ContentReader } from './adapters/content-reader.js';
import { DocumentRepository } from './adapters/document.repository.js';
import { DocumentWatch } from './adapters/document-watch.js';
import { TextExtractor } from './adapters/text-extractor.js';
import { TimelineRepository } from './adapters/timeline.repository.js';
import { DocumentGrpcController } from './api/document.grpc-controller.js';
import { LifecycleGrpcController } from './api/lifecycle.grpc-controller.js';
import { UploadGrpcController } from './api/upload.grpc-controller.js';
import { AcceptDocument } from './commands/accept-document.js';
import { CancelDocument } from './commands/cancel-document.js';
import { ChunkDocument } from './commands/chunk-document.js';
import { DeleteDocument } from './commands/delete-document.js';
import { IngestionProcess } from './commands/ingestion-process.js';
import { RetryDocument } from './commands/retry-document.js';
import { ChunkCreatedDocument } from './consumers/chunk-created-document.handler.js';
import { ChunkUpdatedDocument } from './consumers/chunk-updated-document.handler.js';
import { CountIndexedBatch } from './consumers/count-indexed-batch.handler.js';
import { DiscardChunks } from './consumers/discard-chunks.handler.js';
import { FailIngestion } from './consumers/fail-ingestion.handler.js';
import { NoteRemovedPoints } from './consumers/note-removed-points.handler.js';
import { NoteShownVersion } from './consumers/note-shown-version.handler.js';
import type { DocumentConfig } from './document.config.js';

const blobStore = {
  provide: FolderBlobStore,
  inject: [CONFIG],
  useFactory: (config: DocumentConfig) => new FolderBlobStore(join(config.RAGMESH_DATA_DIR, 'blobs')),
};

/** Composition root: sync in, async in, decisions, out. */
@Module({
  controllers: [
    UploadGrpcController,
    LifecycleGrpcController,
    DocumentGrpcController,
    ChunkCreatedDocument,
    ChunkUpdatedDocument,
    CountIndexedBatch,
    NoteShownVersion,
    NoteRemovedPoints,
    DiscardChunks,
    FailIngestion,
  ],
  providers: [
    AcceptDocument,
    DeleteDocument,
    RetryDocument,
    CancelDocument,
    ChunkDocument,
    IngestionProcess,
    DocumentRepository,
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

  constructor(
    database: Database,
    outbox: Outbox,
    ingestion: IngestionProcess,
    deletion: DeleteDocument,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.#timer = new SagaTimer(database, outbox, [ingestion.engine as never, deletion.engine as never], logger);
  }

  onApplicationBootstrap(): void {
    this.#timer.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.#timer.stop();
  }
}
