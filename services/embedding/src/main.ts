import { runService } from '@ragmesh/bootstrap';
import { embeddingService } from './embedding.service.js';

await runService(embeddingService);
