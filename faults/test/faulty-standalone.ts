import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Drivers } from '@ragmesh/bootstrap';
import { topicSpecs, type ServiceName } from '@ragmesh/contracts';
import { freePorts, type KafkaServer } from '@ragmesh/local-servers';
import { KafkaBusDriver, type BusDriver, type OutgoingRecord, type PublishOutcome } from '@ragmesh/messaging';
import { Database, createPool, type SqlTransaction } from '@ragmesh/postgres';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { MeshOracle } from '../../services/standalone/test/mesh-oracle.js';
import { startStandalone } from '../../services/standalone/src/standalone.service.js';

type Publish = (records: readonly OutgoingRecord[]) => Promise<PublishOutcome[]>;

/** What a test puts between the services and their ports; each may be set and taken away while they run. */
export interface PortFaults {
  /** Instead of a write to the bus. */
  publish?: (records: readonly OutgoingRecord[], write: Publish) => Promise<PublishOutcome[]>;
  /** Before each statement of a transaction; throws, blocks, or is waited for where the statement is. */
  statement?: (service: ServiceName, text: string, values: readonly unknown[]) => unknown;
  /** After each commit, before whoever wrote hears of it. */
  committed?: (service: ServiceName) => Promise<void>;
}

/** The eight services in this process, with faults at their ports. */
export interface FaultyStandalone {
  readonly api: ApiClient;
  readonly oracle: MeshOracle;
  readonly drivers: Drivers;
  readonly faults: PortFaults;
  close(): Promise<void>;
}

/** A session short enough that a test can outlast it. */
export const SESSION_MS = 3_000;

export interface FaultyStandaloneOptions {
  /** Carries the events; without it tables do. */
  readonly kafka?: KafkaServer | undefined;
  /** What an earlier process left; without it a folder that goes with this one. */
  readonly dataDir?: string;
  /** Most connections of each service to its database; without it as many as ever. */
  readonly connections?: number;
}

export async function startFaultyStandalone(options: FaultyStandaloneOptions = {}): Promise<FaultyStandalone> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ragmesh-faults-')));
  const bus = options.kafka && (await connectKafka(options.kafka));
  const faults: PortFaults = {};
  let drivers: Drivers | undefined;
  const [port] = await freePorts(1);
  const standalone = await startStandalone({
    environment: { RAGMESH_DATA_DIR: dataDir, SERVER_PORT: String(port), APP_EMBEDDINGS_BACKEND: 'mock' },
    wrapDrivers: (given) => {
      drivers = { ...given, bus: bus ?? given.bus };
      const { connections: max } = options;
      const connect = (service: ServiceName): Database =>
        max ? new Database(createPool(given.databaseUrl!(service), { max })) : given.openDatabase(service);
      const open = (service: ServiceName): Database => faultyDatabase(connect(service), service, faults);
      return { ...drivers, bus: faultyBus(drivers.bus, faults), openDatabase: open };
    },
  });
  const oracle = new MeshOracle(drivers!, dataDir);
  return {
    api: new ApiClient(standalone.url),
    oracle,
    drivers: drivers!,
    faults,
    close: async () => {
      await oracle.close();
      await standalone.close();
      await bus?.close();
      if (!options.dataDir) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function connectKafka({ brokers }: KafkaServer): Promise<KafkaBusDriver> {
  const bus = await KafkaBusDriver.connect({ brokers, clientId: 'faults', sessionTimeoutMs: SESSION_MS });
  await bus.provision(topicSpecs);
  return bus;
}

/** Everything as it is, but for `publish`. */
function faultyBus(bus: BusDriver, faults: PortFaults): BusDriver {
  const write: Publish = (records) => bus.publish(records);
  return {
    provision: (topics) => bus.provision(topics),
    partitionsOf: (topic) => bus.partitionsOf(topic),
    publish: (records) => (faults.publish ? faults.publish(records, write) : write(records)),
    subscribe: (options) => bus.subscribe(options),
    close: () => bus.close(),
  };
}

function faultyDatabase(database: Database, service: ServiceName, faults: PortFaults): Database {
  const transaction = database.transaction.bind(database);
  database.transaction = async (work) => {
    const result = await transaction((tx) => work(faultyTransaction(tx, service, faults)));
    await faults.committed?.(service);
    return result;
  };
  return database;
}

function faultyTransaction(tx: SqlTransaction, service: ServiceName, faults: PortFaults): SqlTransaction {
  return {
    query: async (text, values = []) => {
      const harm = faults.statement?.(service, text, values);
      if (harm instanceof Promise) await harm;
      return tx.query(text, values);
    },
    write: (text, values = []) => {
      void faults.statement?.(service, text, values);
      tx.write(text, values);
    },
    writeLast: (key, text, values = []) => {
      void faults.statement?.(service, text, values);
      tx.writeLast(key, text, values);
    },
  };
}
