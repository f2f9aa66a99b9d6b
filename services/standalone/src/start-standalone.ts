import {
  checkConfiguration,
  keptServiceKey,
  serviceKeysIn,
  startService,
  type Drivers,
  type RunningService,
} from '@ragmesh/bootstrap';
import { effectiveSettings, loadConfig, type Environment } from '@ragmesh/config';
import {
  startErrorReports,
  startProcessMetrics,
  startTracing,
  useServiceKeys,
  type TracingOptions,
} from '@ragmesh/observability';
import { logFile, startEmbeddedDrivers } from './embedded-drivers.js';
import { backends, edge, isGuarded } from './services.js';
import { standaloneConfig } from './standalone.config.js';

export interface StandaloneOptions {
  readonly environment: Environment;
  /** Called when the database was lost for good. */
  readonly onLost?: (error: unknown) => void;
  /** Called once a database is started or found, with what tells it to end: for a process that ends without closing what it started. */
  readonly onDatabase?: (abandon: () => void) => void;
  /** Wraps the drivers: how a test composition watches or disturbs what goes through them. */
  readonly wrapDrivers?: (drivers: Drivers) => Drivers;
  readonly spanProcessors?: TracingOptions['processors'];
}

/** A whole mesh in this process. */
export interface Standalone {
  readonly url: string;
  readonly dataDir: string;
  readonly logFile: string;
  /** Whether requests need a credential. */
  readonly isGuarded: boolean;
  close(): Promise<void>;
}

/** Starts the eight services in one process. It composes and owns no behaviour. */
export async function startStandalone(options: StandaloneOptions): Promise<Standalone> {
  const { environment, onLost = () => undefined, onDatabase = () => undefined } = options;
  checkConfiguration([standaloneConfig, edge.config, ...backends.map((service) => service.config)], environment);
  const config = loadConfig(standaloneConfig, environment);
  useServiceKeys(serviceKeysIn(config.SERVICE_AUTH_KEY ?? (await keptServiceKey(config.RAGMESH_DATA_DIR))));
  const stopTracing = await startTracing({
    serviceName: 'ragmesh',
    ...(config.OTEL_EXPORTER_OTLP_ENDPOINT ? { otlpEndpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT } : {}),
    ...(options.spanProcessors ? { processors: options.spanProcessors } : {}),
  });
  startProcessMetrics();
  const stopReports = config.SENTRY_DSN ? await startErrorReports(config.SENTRY_DSN, 'ragmesh') : undefined;
  const drivers = await startEmbeddedDrivers(config, { onLost, onDatabase });
  const wrapped = {
    ...(options.wrapDrivers?.(drivers) ?? drivers),
    settings: effectiveSettings(standaloneConfig, environment),
  };
  const running: RunningService[] = [];
  const close = async (): Promise<void> => {
    for (const service of running.toReversed()) await service.close();
    await drivers.close();
    await stopTracing();
    await stopReports?.();
  };
  try {
    const starting = backends.map((definition) => startService(definition, wrapped, environment));
    const outcomes = await Promise.allSettled(starting);
    running.push(...outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    drivers.setHealth(() => running.every((service) => service.isAlive()));
    const gateway = await startService(edge, wrapped, environment);
    running.push(gateway);
    const { RAGMESH_DATA_DIR: dataDir } = config;
    return { url: gateway.url!, dataDir, logFile: logFile(config), isGuarded: isGuarded(environment), close };
  } catch (error) {
    await close();
    throw error;
  }
}
