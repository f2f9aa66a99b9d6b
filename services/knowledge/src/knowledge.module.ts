import { Module } from '@nestjs/common';
import { CatalogueRepository } from './adapters/catalogue.repository.js';
import { CollectionRepository } from './adapters/collection.repository.js';
import { CollectionGrpcController } from './api/collection.grpc-controller.js';
import { NoteCreatedDocument } from './consumers/note-created.handler.js';
import { NoteDeletedDocument } from './consumers/note-deleted.handler.js';
import { NoteReadyDocument } from './consumers/note-ready.handler.js';

/** Composition root: sync in, async in, out. */
@Module({
  controllers: [CollectionGrpcController, NoteCreatedDocument, NoteReadyDocument, NoteDeletedDocument],
  providers: [CollectionRepository, CatalogueRepository],
})
export class KnowledgeModule {}
