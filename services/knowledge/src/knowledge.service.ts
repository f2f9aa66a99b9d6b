import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { knowledgeV1 } from '@ragmesh/contracts';
import { knowledgeConfig } from './knowledge.config.js';
import { KnowledgeModule } from './knowledge.module.js';

/** Collections and the catalogue of what is in them. */
export const knowledgeService: ServiceDefinition<typeof knowledgeConfig.variables> = {
  name: 'knowledge',
  config: knowledgeConfig,
  module: KnowledgeModule,
  grpc: [knowledgeV1.KnowledgeService, knowledgeV1.KeyService, knowledgeV1.FlagService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
