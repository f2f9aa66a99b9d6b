import { runService } from '@ragmesh/bootstrap';
import { modelService } from './model.service.js';

await runService(modelService);
