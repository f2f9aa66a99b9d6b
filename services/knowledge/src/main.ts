import { runService } from '@ragmesh/bootstrap';
import { knowledgeService } from './knowledge.service.js';

await runService(knowledgeService);
