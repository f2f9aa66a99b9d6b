import { runService } from '@ragmesh/bootstrap';
import { gatewayService } from './gateway.service.js';

await runService(gatewayService);
