import { runService } from '@ragmesh/bootstrap';
import { generationService } from './generation.service.js';

await runService(generationService);
