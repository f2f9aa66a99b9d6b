import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { retrievalV1 } from '@ragmesh/contracts';
import { retrievalConfig } from './retrieval.config.js';
import { RetrievalModule } from './retrieval.module.js';

/** Finds sources for a question, and has it answered from them. */
export const retrievalService: ServiceDefinition<typeof retrievalConfig.variables> = {
  name: 'retrieval',
  config: retrievalConfig,
  module: RetrievalModule,
  grpc: [retrievalV1.RetrievalService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
