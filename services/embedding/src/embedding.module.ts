import { Module } from '@nestjs/common';
import { LazyEmbedder } from './adapters/lazy-embedder.js';
import { ModelResolver } from './adapters/model-resolver.js';
import { VectorCache } from './adapters/vector-cache.js';
import { EmbeddingGrpcController } from './api/embedding.grpc-controller.js';
import { EmbedTexts } from './commands/embed-texts.js';
import { EmbedChunks } from './consumers/embed-chunks.handler.js';

/** Composition root: sync in, async in, decide, out. */
@Module({
  controllers: [EmbeddingGrpcController, EmbedChunks],
  providers: [EmbedTexts, LazyEmbedder, ModelResolver, VectorCache],
})
export class EmbeddingModule {}
