import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { generationV1 } from '@ragmesh/contracts';
import { generationConfig } from './generation.config.js';
import { GenerationModule } from './generation.module.js';

/** Answers from sources, with citations. */
export const generationService: ServiceDefinition<typeof generationConfig.variables> = {
  name: 'generation',
  config: generationConfig,
  module: GenerationModule,
  grpc: [generationV1.GenerationService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
