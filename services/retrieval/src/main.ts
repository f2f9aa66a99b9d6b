import { runService } from '@ragmesh/bootstrap';
import { retrievalService } from './retrieval.service.js';

await runService(retrievalService);
