import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Environment } from '@ragmesh/config';
import { KafkaServer, RedisServer, findKafkaJars } from '@ragmesh/local-servers';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { chooseBus, type ChosenBus } from './chosen-bus.js';
import { edgeUrl, type MeshConfig } from './mesh.config.js';
import { keepMeshRecord, serverOf, type MeshRecord } from './mesh-record.js';
import { ServerReviver, type ServerNews } from './server-reviver.js';

/** What the mesh runs on. */
export interface Servers {
  /** What services read to find them. */
  readonly environment: Environment;
  /** For people: what it is used for, and which one. */
  readonly described: readonly (readonly [use: string, server: string])[];
  close(): Promise<void>;
}

/** Connections a service may take from the PostgreSQL started here, which takes 120 in all and carries the bus, too. */
const CONNECTIONS_PER_SERVICE = 5;

/** One machine has no network that goes silent for seconds, so what a dead process held is taken over soon. */
const SESSION_TIMEOUT = '3s';

interface Server {
  readonly use: string;
  readonly described: string;
  readonly environment: Environment;
  /** What the data folder remembers of it. */
  readonly record?: Partial<MeshRecord>;
  readonly stop?: () => Promise<void>;
}

/** Uses the servers that are named, and starts what is missing and can be found on this machine; again when it dies. */
export async function startServers(config: MeshConfig, news: ServerNews): Promise<Servers> {
  const dataDir = resolve(config.RAGMESH_DATA_DIR);
  await mkdir(dataDir, { recursive: true });
  let jars: string | undefined;
  const chosen = chooseBus(config, dataDir, () => (jars = findKafkaJars()) !== undefined);
  // The database first: who is refused the data folder must not end what another mesh runs in it.
  const opened = database(config, dataDir, news);
  const starts = await Promise.allSettled([
    opened,
    opened.then(() => events(config, dataDir, news, { ...chosen, jars })),
    opened.then(() => cache(config, dataDir, news)),
  ]);
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const close = async (): Promise<void> => {
    for (const { stop } of servers.toReversed()) await stop?.();
  };
  const failed = starts.find((start) => start.status === 'rejected');
  if (failed) {
    await close();
    throw failed.reason;
  }
  try {
    await keepMeshRecord(dataDir, recordOf(config, servers));
  } catch (error) {
    await close();
    throw error;
  }
  servers.push(vectors(config), blobs(config, dataDir));
  return {
    environment: Object.assign({}, ...servers.map(({ environment }) => environment)) as Environment,
    described: servers.map(({ use, described }) => [use, described] as const),
    close,
  };
}

function recordOf(config: MeshConfig, servers: readonly Server[]): MeshRecord {
  const edge = {
    url: edgeUrl(config),
    certificate: config.SERVER_TLS_CERT_FILE && resolve(config.SERVER_TLS_CERT_FILE),
  };
  return Object.assign({ pid: process.pid, edge, bus: 'tables' as const }, ...servers.map(({ record }) => record));
}

async function database(config: MeshConfig, dataDir: string, { onLost }: ServerNews): Promise<Server> {
  const use = 'Database';
  if (config.DATABASE_URL) {
    const server = serverOf(config.DATABASE_URL);
    return { use, described: `PostgreSQL at ${server}`, environment: {}, record: { database: server } };
  }
  const postgres = await EmbeddedPostgres.start(dataDir, { onLost });
  const url = new URL(postgres.url('postgres'));
  url.pathname = '/';
  return {
    use,
    described: `PostgreSQL started here, port ${url.searchParams.get('port') ?? url.port}`,
    environment: { DATABASE_URL: url.href, MAX_CONNECTIONS: String(CONNECTIONS_PER_SERVICE) },
    stop: () => postgres.stop(),
  };
}

async function events(
  config: MeshConfig,
  dataDir: string,
  news: ServerNews,
  { jars, ...chosen }: ChosenBus & { readonly jars: string | undefined },
): Promise<Server> {
  const use = 'Events';
  const { bus, moved } = chosen;
  if (moved) news.say(moved);
  if (bus === 'kafka') {
    const brokers = config.KAFKA_BROKERS!;
    return { use, described: `Kafka at ${brokers}`, environment: {}, record: { bus, brokers } };
  }
  if (bus === 'tables') {
    return { use, described: `tables in PostgreSQL${reasonForTables(chosen)}`, environment: {}, record: { bus } };
  }
  const reviver = new ServerReviver('Kafka', () => kafka.revive(), news);
  const onExit = (how: string): void => reviver.ended(how);
  const kafka = await KafkaServer.start({ dataDir: join(dataDir, 'kafka'), ...(jars ? { jars } : {}), onExit });
  const brokers = kafka.brokers.join(',');
  return {
    use,
    described: `Kafka started here, ${brokers}`,
    environment: { KAFKA_BROKERS: brokers, KAFKA_SESSION_TIMEOUT: SESSION_TIMEOUT },
    record: { bus, brokers },
    stop: () => stopBoth(reviver, kafka),
  };
}

function reasonForTables({ isKept, isGuessed }: ChosenBus): string {
  if (!isKept) return ' (no KAFKA_BROKERS, no Kafka found here)';
  if (!isGuessed) return ', as before in this data folder';
  return ' (this data folder was restored or is of an earlier release; for Kafka see deploy/runbooks/Restore.md)';
}

async function cache(config: MeshConfig, dataDir: string, news: ServerNews): Promise<Server> {
  const use = 'Cache';
  if (config.REDIS_URL) return { use, described: `Redis at ${hostOf(config.REDIS_URL)}`, environment: {} };
  if (!config.MESH_LOCAL_SERVERS || !RedisServer.isInstalled())
    return { use, described: 'memory of each process (no REDIS_URL, no redis-server found here)', environment: {} };
  const reviver = new ServerReviver('Redis', () => redis.restart(), news);
  const onExit = (how: string): void => reviver.ended(how);
  const redis = await RedisServer.start({ dataDir: join(dataDir, 'redis'), onExit });
  return {
    use,
    described: `Redis started here, port ${redis.port}`,
    environment: { REDIS_URL: redis.url },
    record: { redis: redis.url },
    stop: () => stopBoth(reviver, redis),
  };
}

/** A start that is under way ends with its server, at the latest before it would begin to serve. */
async function stopBoth(reviver: ServerReviver, server: { stop(): Promise<void> }): Promise<void> {
  await Promise.all([reviver.stop(), server.stop()]);
  await server.stop();
}

function vectors({ VECTOR_STORE, QDRANT_URL }: MeshConfig): Server {
  const store = VECTOR_STORE ?? (QDRANT_URL ? 'qdrant' : 'embedded');
  const described: Readonly<Record<string, string>> = {
    embedded: 'rows in PostgreSQL, indexes in memory (no QDRANT_URL)',
    pgvector: 'pgvector in PostgreSQL',
    qdrant: `Qdrant at ${QDRANT_URL ? hostOf(QDRANT_URL) : '(no QDRANT_URL)'}`,
  };
  return { use: 'Vectors', described: described[store] ?? store, environment: { VECTOR_STORE: store } };
}

const blobs = ({ S3_BUCKET }: MeshConfig, dataDir: string): Server => ({
  use: 'Blobs',
  described: S3_BUCKET ? `bucket ${S3_BUCKET}` : join(dataDir, 'blobs'),
  environment: {},
});

/** Without user and password. */
const hostOf = (url: string): string => new URL(url).host;
