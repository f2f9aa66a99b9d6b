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
  grpc: [
    generationV1.GenerationService,
    generationV1.QueryWritingService,
    generationV1.UsageService,
    generationV1.ConversationService,
    generationV1.QuestionService,
  ],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
