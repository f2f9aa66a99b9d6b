import { Module } from '@nestjs/common';
import { ApiKeyRepository } from './adapters/api-key.repository.js';
import { KeyOwnerRepository } from './adapters/key-owner.repository.js';
import { CatalogueRepository } from './adapters/catalogue.repository.js';
import { CollectionRepository } from './adapters/collection.repository.js';
import { FlagRepository } from './adapters/flag.repository.js';
import { ApiKeyGrpcController } from './api/api-key.grpc-controller.js';
import { FlagGrpcController } from './api/flag.grpc-controller.js';
import { CollectionGrpcController } from './api/collection.grpc-controller.js';
import { ChangeCollectionAccess } from './commands/change-collection-access.js';
import { DeleteCollection } from './commands/delete-collection.js';
import { NoteCreatedDocument } from './consumers/note-created.handler.js';
import { NoteDeletedDocument } from './consumers/note-deleted.handler.js';
import { NoteRecutDocuments } from './consumers/note-recut.handler.js';
import { NoteReadyDocument } from './consumers/note-ready.handler.js';

/** Composition root: sync in, async in, out. */
@Module({
  controllers: [
    CollectionGrpcController,
    ApiKeyGrpcController,
    FlagGrpcController,
    NoteCreatedDocument,
    NoteReadyDocument,
    NoteRecutDocuments,
    NoteDeletedDocument,
  ],
  providers: [
    ChangeCollectionAccess,
    DeleteCollection,
    CollectionRepository,
    ApiKeyRepository,
    KeyOwnerRepository,
    CatalogueRepository,
    FlagRepository,
  ],
})
export class KnowledgeModule {}
