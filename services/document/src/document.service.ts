import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@ragmesh/bootstrap';
import { documentV1 } from '@ragmesh/contracts';
import { documentConfig } from './document.config.js';
import { DocumentModule } from './document.module.js';

/** Uploads, blobs, parsing, chunks, and the sagas that see each of them through. */
export const documentService: ServiceDefinition<(typeof documentConfig)['variables']> = {
  name: 'document',
  config: documentConfig,
  module: DocumentModule,
  grpc: [documentV1.DocumentService],
  migrations: fileURLToPath(new URL('../prisma/migrations', import.meta.url)),
};
