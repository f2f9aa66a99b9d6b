import { runService } from '@ragmesh/bootstrap';
import { vectorService } from './vector.service.js';

await runService(vectorService);
