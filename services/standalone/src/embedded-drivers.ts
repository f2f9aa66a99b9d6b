import { randomUUID } from 'node:crypto';
import type { Drivers } from '@ragmesh/bootstrap';
import { databaseName, topicSpecs } from '@ragmesh/contracts';
import { localAddress } from '@ragmesh/grpc';
import { EmbeddedBusDriver, type BusDriver } from '@ragmesh/messaging';
import { createLogger } from '@ragmesh/observability';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { putLargeLogAside } from '@ragmesh/service-mesh/log-rotation';
import pino from 'pino';
import type { StandaloneConfig } from './standalone.config.js';

/** Everything standalone runs on: one PostgreSQL in the data folder, the bus on its tables, calls within the process. */
export interface EmbeddedDrivers extends Drivers {
  setHealth(isAlive: () => boolean): void;
  close(): Promise<void>;
}

export interface EmbeddedDriversOptions {
  /** Called when the database was lost for good. */
  readonly onLost: (error: unknown) => void;
  /** Called once a database is started or found, with what tells it to end for a process that cannot wait until it has. */
  readonly onDatabase: (abandon: () => void) => void;
}

const POOL_SIZE = 5;

/** Leaves no database running when it rejects, but for what {@link EmbeddedPostgres.start} leaves. */
export async function startEmbeddedDrivers(
  config: StandaloneConfig,
  { onLost, onDatabase }: EmbeddedDriversOptions,
): Promise<EmbeddedDrivers> {
  const postgres = await EmbeddedPostgres.start(config.RAGMESH_DATA_DIR, { onLost, onSpawn: onDatabase });
  onDatabase(() => postgres.abandon());
  try {
    return await driversOn(postgres, config);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function driversOn(postgres: EmbeddedPostgres, config: StandaloneConfig): Promise<EmbeddedDrivers> {
  putLargeLogAside(logFile(config));
  const logs = pino.destination({ dest: logFile(config), mkdir: true, mode: 0o600, sync: false });
  const logger = createLogger('standalone', config.LOG_LEVEL, logs);
  const bus = await connectBus(postgres, config, (error) => logger.warn({ err: error }, 'The bus will try again'));
  const place = randomUUID();
  let isAlive: (() => boolean) | undefined;
  return {
    bus,
    databaseUrl: (service) => postgres.url(databaseName(service)),
    openDatabase: (service) =>
      new Database(
        createPool(postgres.url(databaseName(service)), { max: POOL_SIZE, applicationName: `ragmesh-${service}` }),
      ),
    grpcAddress: (service) => localAddress(place, service),
    logger: (service) => createLogger(service, config.LOG_LEVEL, logs),
    health: { isAlive: () => isAlive?.() ?? true, isReady: () => isAlive?.() ?? false },
    setHealth: (check) => (isAlive = check),
    close: async () => {
      await bus.close();
      await postgres.stop();
      logs.flushSync();
    },
  };
}

/** Where the log lines of standalone go, so that they do not drown what it prints. */
export const logFile = (config: StandaloneConfig): string => `${config.RAGMESH_DATA_DIR}/ragmesh.log`;

async function connectBus(
  postgres: EmbeddedPostgres,
  config: StandaloneConfig,
  onError: (error: unknown) => void,
): Promise<BusDriver> {
  const bus = await EmbeddedBusDriver.connect({
    databaseUrl: postgres.url('ragmesh_bus'),
    topicPrefix: config.RAGMESH_TOPIC_PREFIX,
    onError,
  });
  try {
    await bus.provision(topicSpecs);
  } catch (error) {
    await bus.close();
    throw error;
  }
  return bus;
}
