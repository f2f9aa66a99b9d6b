import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_KEY_FILE, busDatabaseUrl, databaseServerUrl, databaseUrl, kafkaOptions } from '@ragmesh/bootstrap';
import { loadConfig, type Environment } from '@ragmesh/config';
import { databaseName, type ServiceName } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { EmbeddedPostgres, attachEmbedded } from '@ragmesh/postgres';
import { localMesh, requireNoKafka } from '@ragmesh/service-mesh/local-mesh';
import { notEmpty } from './backup-file.js';
import { backupConfig, databaseVariable, type BackupConfig } from './backup.config.js';
import type { BusPositions } from './bus-positions.js';
import type { Installation } from './installation.js';
import { KafkaPositions } from './kafka-positions.js';
import { openBlobs } from './open-blobs.js';
import { TablePositions } from './table-positions.js';

type UrlOf = (database: string) => string;

/**
 * The installation that an environment names, running or not: a mesh by `DATABASE_URL` or by what `npm run mesh` remembers in its
 * data folder, else a data folder.
 * @throws RagmeshError CONFIG.INVALID where it does not name one; BACKUP.NOT_NOW where its own Kafka does not run.
 */
export async function openInstallation(given: Environment): Promise<Installation> {
  const mesh = localMesh(given);
  const environment = mesh?.environment ?? given;
  const config = loadConfig(backupConfig, environment);
  if (mesh && mesh.record.bus !== 'tables' && !config.KAFKA_BROKERS) throw kafkaStopped(mesh.dataDir);
  if (config.DATABASE_URL) return openMesh(config, config.DATABASE_URL, environment);
  // Standalone reads no brokers, whatever an environment that a mesh shares has.
  const own = mesh ? config : { ...config, KAFKA_BROKERS: undefined };
  const running = attachEmbedded(config.RAGMESH_DATA_DIR);
  if (running) return compose(own, environment, running);
  return openStopped(own, environment);
}

const kafkaStopped = (dataDir: string): RagmeshError =>
  new RagmeshError(
    'BACKUP.NOT_NOW',
    `Events of ${dataDir} run over the Kafka in it, which runs with its mesh only. Start it with npm run mesh.`,
  );

/**
 * The same for a restore: a data folder has to be empty, or not be there at all.
 * @throws RagmeshError BACKUP.TARGET_NOT_EMPTY; CONFIG.INVALID with brokers and no database.
 */
export async function openTarget(environment: Environment): Promise<Installation> {
  requireNoKafka(environment);
  const config = loadConfig(backupConfig, environment);
  if (config.DATABASE_URL) return openMesh(config, config.DATABASE_URL, environment);
  const dataDir = config.RAGMESH_DATA_DIR;
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw notEmpty(`The data folder ${dataDir} is not empty: set RAGMESH_DATA_DIR to a new one.`);
  return openStopped({ ...config, KAFKA_BROKERS: undefined }, environment);
}

async function openStopped(config: BackupConfig, environment: Environment): Promise<Installation> {
  const postgres = await EmbeddedPostgres.start(config.RAGMESH_DATA_DIR);
  try {
    return await compose(
      config,
      environment,
      (database) => postgres.url(database),
      () => postgres.stop(),
    );
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function compose(
  config: BackupConfig,
  environment: Environment,
  urlOf: UrlOf,
  stop: () => Promise<void> = () => Promise.resolve(),
): Promise<Installation> {
  const blobs = await openBlobs(environment);
  const bus = await openBus(config, urlOf('ragmesh_bus'));
  return {
    isMesh: false,
    databaseUrl: (service) => urlOf(databaseName(service)),
    blobs,
    bus,
    keyFile: keyFileOf(config, environment),
    close: async () => {
      await bus.close();
      await stop();
    },
  };
}

async function openMesh(config: BackupConfig, given: string, environment: Environment): Promise<Installation> {
  const server = databaseServerUrl({ ...config, DATABASE_URL: given });
  const onServer = (database: string): string => {
    const address = new URL(server);
    address.pathname = `/${database}`;
    return address.href;
  };
  const blobs = await openBlobs(environment); // before the bus: it has nothing to close when the bus cannot be opened
  const bus = await openBus(config, busDatabaseUrl(server));
  return {
    isMesh: true,
    databaseUrl: (service: ServiceName) => {
      const own = config[databaseVariable(service)];
      const name = databaseName(service);
      return own ? databaseUrl(databaseServerUrl({ ...config, DATABASE_URL: own }), name) : onServer(name);
    },
    blobs,
    bus,
    // A mesh is given its key. Only who names a data folder means the key in it, not one that lies where the command is run.
    keyFile: environment['RAGMESH_DATA_DIR'] ? keyFileOf(config, environment) : undefined,
    close: () => bus.close(),
  };
}

const keyFileOf = ({ RAGMESH_DATA_DIR }: BackupConfig, environment: Environment): string | undefined =>
  environment['SERVICE_AUTH_KEY'] || environment['SERVICE_AUTH_KEY_FILE']
    ? undefined
    : join(RAGMESH_DATA_DIR, SERVICE_KEY_FILE);

async function openBus(config: BackupConfig, tables: string): Promise<BusPositions> {
  const kafka = kafkaOptions('ragmesh-backup', config);
  if (!kafka) return new TablePositions(tables, config.RAGMESH_TOPIC_PREFIX);
  return new KafkaPositions(await KafkaBusDriver.connect(kafka));
}
