import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { vectorV1 } from '@ragmesh/contracts';
import { vectorConfig } from './vector.config.js';
import { VectorModule } from './vector.module.js';

/** The index: dense and lexical leg, versions, deletion with proof. */
export const vectorService: ServiceDefinition<typeof vectorConfig.variables> = {
  name: 'vector',
  config: vectorConfig,
  module: VectorModule,
  grpc: [vectorV1.VectorService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
