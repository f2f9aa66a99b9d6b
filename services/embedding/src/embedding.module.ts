import { Module } from '@nestjs/common';
import { Embedders } from './adapters/embedders.js';
import { ModelMemory } from './adapters/model-memory.js';
import { ModelRegistry } from './adapters/model-registry.js';
import { VectorCache } from './adapters/vector-cache.js';
import { EmbeddingGrpcController } from './api/embedding.grpc-controller.js';
import { RerankGrpcController } from './api/rerank.grpc-controller.js';
import { EmbedTexts } from './commands/embed-texts.js';
import { RerankPassages } from './commands/rerank-passages.js';
import { EmbedChunks } from './consumers/embed-chunks.handler.js';

/** Composition root: sync in, async in, decide, out. */
@Module({
  controllers: [EmbeddingGrpcController, RerankGrpcController, EmbedChunks],
  providers: [EmbedTexts, RerankPassages, Embedders, ModelMemory, ModelRegistry, VectorCache],
})
export class EmbeddingModule {}
