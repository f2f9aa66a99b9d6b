import { Module } from '@nestjs/common';
import { DocumentIndexRepository } from './adapters/document-index.repository.js';
import { EmbeddedIndexes } from './adapters/embedded-index/embedded-indexes.js';
import { PointRepository } from './adapters/point.repository.js';
import { SearchIndex } from './adapters/search-index.js';
import { VectorGrpcController } from './api/vector.grpc-controller.js';
import { IndexChunks } from './consumers/chunks-embedded.handler.js';
import { RemoveDocument } from './consumers/remove-document.handler.js';
import { RemoveVersion } from './consumers/remove-version.handler.js';
import { ShowVersion } from './consumers/show-version.handler.js';

/** Composition root: sync in, async in, out. */
@Module({
  controllers: [VectorGrpcController, IndexChunks, ShowVersion, RemoveVersion, RemoveDocument],
  providers: [PointRepository, DocumentIndexRepository, EmbeddedIndexes, SearchIndex],
})
export class VectorModule {}
