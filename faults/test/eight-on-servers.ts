import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, KafkaServer } from '@ragmesh/local-servers';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { FaultProxy } from '@ragmesh/testing';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { MeshOracle } from '../../services/standalone/test/mesh-oracle.js';
import { startMesh, type Mesh } from '../../services/mesh/src/start-mesh.js';

export interface EightOptions {
  /** Whether events run over Kafka; over tables without. */
  readonly kafka?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Servers as their owners have them in hand: to be killed, frozen and cut off. */
export interface Servers {
  readonly dataDir: string;
  readonly postgres: EmbeddedPostgres;
  /** What the services connect to PostgreSQL through. */
  readonly postgresLine: FaultProxy;
  readonly kafka: KafkaServer | undefined;
  /** What a process reads to find them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Reads the databases past the proxy. */
  readonly oracle: MeshOracle;
  stop(): Promise<void>;
}

const SESSION_TIMEOUT = '3s';

/** Starts PostgreSQL and, if wanted, Kafka in a folder of their own. */
export async function startServers({ kafka: wantsKafka = false }: EightOptions = {}): Promise<Servers> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ragmesh-faults-'));
  const postgres = await EmbeddedPostgres.start(dataDir);
  const direct = new URL(postgres.url('postgres'));
  const port = Number(direct.searchParams.get('port') ?? direct.port);
  const postgresLine = await FaultProxy.start({ target: port });
  const kafka = wantsKafka ? await KafkaServer.start({ dataDir: join(dataDir, 'kafka'), heapMb: 320 }) : undefined;
  const { username, password } = direct;
  const oracle = new MeshOracle(
    { openDatabase: (service) => new Database(createPool(postgres.url(`ragmesh_${service}`), { max: 1 })) },
    dataDir,
  );
  return {
    dataDir,
    postgres,
    postgresLine,
    kafka,
    environment: {
      RAGMESH_DATA_DIR: dataDir,
      DATABASE_URL: `postgresql://${username}:${password}@${postgresLine.address}/`,
      MAX_CONNECTIONS: '5',
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...(kafka ? { KAFKA_BROKERS: kafka.brokers.join(','), KAFKA_SESSION_TIMEOUT: SESSION_TIMEOUT } : {}),
    },
    oracle,
    stop: async () => {
      await oracle.close();
      await kafka?.kill();
      await postgresLine.close();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Eight supervised processes on servers that the test may harm. */
export interface EightOnServers {
  readonly api: ApiClient;
  readonly mesh: Mesh;
  readonly servers: Servers;
  readonly oracle: MeshOracle;
  close(): Promise<void>;
}

/** Starts the eight services on servers that run already. @param environment names the servers. */
export async function startServices(environment: Readonly<Record<string, string>>): Promise<Mesh> {
  const [port] = await freePorts(1);
  return startMesh({
    environment: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      SERVER_PORT: String(port),
      MESH_LOCAL_SERVERS: 'false',
      ...environment,
    },
    say: () => undefined,
    onLost: () => undefined,
  });
}

export async function startEightOnServers(options: EightOptions = {}): Promise<EightOnServers> {
  const servers = await startServers(options);
  const mesh = await startServices({ ...servers.environment, ...options.settings }).catch(async (error: unknown) => {
    await servers.stop();
    throw error;
  });
  return {
    api: new ApiClient(mesh.url),
    mesh,
    servers,
    oracle: servers.oracle,
    close: async () => {
      await mesh.close();
      await servers.stop();
    },
  };
}
