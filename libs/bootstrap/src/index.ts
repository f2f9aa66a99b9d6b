export { FLAGS, type Flags } from './flags/service-flags.js';
export { sentryDsn } from './error-report-target.js';
export { BUS, CONFIG, LOGGER, PROCESS_HEALTH, RuntimeModule } from './runtime.module.js';
export type {
  AnyServiceDefinition,
  Drivers,
  EdgeTls,
  HttpEdge,
  ProcessHealth,
  ServiceDefinition,
} from './service-definition.js';
export { SERVICE_NAME } from './service-name.js';
export { checkConfiguration } from './check-configuration.js';
export { onStopSignals } from './stop-signals.js';
export { EXIT_CONFIGURATION, explainFailure, exitCodeOf } from './explain-failure.js';
export { meshVariableNames, meshVariables } from './mesh-variables.js';
export { peerVariable, processConfig, type ProcessConfig } from './process.config.js';
export { SETTINGS } from './setting.grpc-controller.js';
export { runService, type ServiceProgress } from './run-service.js';
export { startService, type RunningService } from './start-service.js';
export { SERVICE_KEY_FILE, keptServiceKey, serviceAuthKey, serviceKeysIn } from './service-key.js';
export { migrateService } from './migrate-only.js';
export { kafkaOptions, kafkaVariables } from './kafka.config.js';
export { busDatabaseUrl, databaseUrl } from './service-addresses.js';
export { databaseServerUrl } from './tls.config.js';
