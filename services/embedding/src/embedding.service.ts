import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { embeddingV1 } from '@ragmesh/contracts';
import { embeddingConfig } from './embedding.config.js';
import { EmbeddingModule } from './embedding.module.js';

/** Turns chunks and questions into vectors. */
export const embeddingService: ServiceDefinition<typeof embeddingConfig.variables> = {
  name: 'embedding',
  config: embeddingConfig,
  module: EmbeddingModule,
  grpc: [embeddingV1.EmbeddingService, embeddingV1.RerankService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
