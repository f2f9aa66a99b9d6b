import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { modelV1 } from '@ragmesh/contracts';
import { modelConfig } from './model.config.js';
import { ModelModule } from './model.module.js';

/** Which models there are, and where their verified files lie. */
export const modelService: ServiceDefinition<typeof modelConfig.variables> = {
  name: 'model',
  config: modelConfig,
  module: ModelModule,
  grpc: [modelV1.ModelService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
