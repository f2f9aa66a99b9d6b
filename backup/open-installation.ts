import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseServerUrl, kafkaTls } from '@ragmesh/bootstrap';
import { loadConfig, type Environment } from '@ragmesh/config';
import type { ServiceName } from '@ragmesh/contracts';
import { KafkaBusDriver } from '@ragmesh/messaging';
import { EmbeddedPostgres, attachEmbedded } from '@ragmesh/postgres';
import { openBlobStore } from '@ragmesh/service-document/blobs';
import { documentConfig } from '@ragmesh/service-document/config';
import { notEmpty } from './backup-file.js';
import { backupConfig, databaseVariable, type BackupConfig } from './backup.config.js';
import type { BusPositions } from './bus-positions.js';
import type { Blobs, Installation } from './installation.js';
import { KafkaPositions } from './kafka-positions.js';
import { TablePositions } from './table-positions.js';

type UrlOf = (database: string) => string;

/** The installation that an environment names, running or not: a mesh by `DATABASE_URL`, else a data folder. */
export async function openInstallation(environment: Environment): Promise<Installation> {
  const config = loadConfig(backupConfig, environment);
  if (config.DATABASE_URL) return openMesh(config, config.DATABASE_URL, environment);
  const running = attachEmbedded(config.RAGMESH_DATA_DIR);
  if (running) return compose(config, environment, running);
  return openStopped(config, environment);
}

/**
 * The same for a restore: a data folder has to be empty, or not be there at all.
 * @throws RagmeshError BACKUP.TARGET_NOT_EMPTY.
 */
export async function openTarget(environment: Environment): Promise<Installation> {
  const config = loadConfig(backupConfig, environment);
  if (config.DATABASE_URL) return openMesh(config, config.DATABASE_URL, environment);
  const dataDir = config.RAGMESH_DATA_DIR;
  if (existsSync(dataDir) && readdirSync(dataDir).length > 0)
    throw notEmpty(`The data folder ${dataDir} is not empty: set RAGMESH_DATA_DIR to a new one.`);
  return openStopped(config, environment);
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
  const bus = new TablePositions(urlOf('ragmesh_bus'), config.RAGMESH_TOPIC_PREFIX);
  return {
    databaseUrl: (service) => urlOf(`ragmesh_${service}`),
    blobs: await openBlobs(environment),
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
  const bus = await openBus(config, onServer('ragmesh_bus'));
  return {
    databaseUrl: (service: ServiceName) => {
      const own = config[databaseVariable(service)];
      return own ? databaseServerUrl({ ...config, DATABASE_URL: own }) : onServer(`ragmesh_${service}`);
    },
    blobs: await openBlobs(environment),
    bus,
    keyFile: keyFileOf(config, environment),
    close: () => bus.close(),
  };
}

const keyFileOf = ({ RAGMESH_DATA_DIR }: BackupConfig, environment: Environment): string | undefined =>
  environment['SERVICE_AUTH_KEY'] || environment['SERVICE_AUTH_KEY_FILE']
    ? undefined
    : join(RAGMESH_DATA_DIR, 'service-auth.key');

async function openBus(config: BackupConfig, tables: string): Promise<BusPositions> {
  const { KAFKA_BROKERS: brokers, RAGMESH_TOPIC_PREFIX: topicPrefix } = config;
  if (!brokers) return new TablePositions(tables, topicPrefix);
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  const sasl = mechanism ? { sasl: { mechanism, username, password } } : {};
  const options = {
    brokers: brokers.split(','),
    clientId: 'ragmesh-backup',
    topicPrefix,
    tls: kafkaTls(config),
    ...sasl,
  };
  return new KafkaPositions(await KafkaBusDriver.connect(options));
}

async function openBlobs(environment: Environment): Promise<Blobs> {
  const store = await openBlobStore(loadConfig(documentConfig, environment));
  return {
    read: (tenant, key) => store.read(tenant, key),
    write: async (tenant, source) => {
      const staged = await store.stage(source, Infinity);
      try {
        await store.publish(tenant, staged);
      } finally {
        await store.discard(staged);
      }
      return staged.key;
    },
    isEmpty: async () => {
      for await (const _ of store.list()) return false;
      return true;
    },
  };
}
