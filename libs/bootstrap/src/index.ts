export { BUS, CONFIG, LOGGER, PROCESS_HEALTH, RuntimeModule } from './runtime.module.js';
export type {
  AnyServiceDefinition,
  Drivers,
  HttpEdge,
  ProcessHealth,
  ServiceDefinition,
} from './service-definition.js';
export { SERVICE_NAME } from './service-name.js';
export { startService, type RunningService } from './start-service.js';
