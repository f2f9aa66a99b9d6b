import { Module } from '@nestjs/common';
import { ApiKeyRepository } from './adapters/api-key.repository.js';
import { CatalogueRepository } from './adapters/catalogue.repository.js';
import { CollectionRepository } from './adapters/collection.repository.js';
import { ApiKeyGrpcController } from './api/api-key.grpc-controller.js';
import { CollectionGrpcController } from './api/collection.grpc-controller.js';
import { NoteCreatedDocument } from './consumers/note-created.handler.js';
import { NoteDeletedDocument } from './consumers/note-deleted.handler.js';
import { NoteReadyDocument } from './consumers/note-ready.handler.js';

/** Composition root: sync in, async in, out. */
@Module({
  controllers: [
    CollectionGrpcController,
    ApiKeyGrpcController,
    NoteCreatedDocument,
    NoteReadyDocument,
    NoteDeletedDocument,
  ],
  providers: [CollectionRepository, ApiKeyRepository, CatalogueRepository],
})
export class KnowledgeModule {}
