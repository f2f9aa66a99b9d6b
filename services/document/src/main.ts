import { runService } from '@ragmesh/bootstrap';
import { documentService } from './document.service.js';

await runService(documentService);
