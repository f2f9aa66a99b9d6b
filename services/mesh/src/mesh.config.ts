import { bool, defineConfig, int, oneOf, string, url, type ConfigOf } from '@ragmesh/config';

/** What the composition itself reads; each service adds its own. */
export const meshConfig = defineConfig({
  RAGMESH_DATA_DIR: string()
    .default('.ragmesh-mesh')
    .describe('Folder of everything that is kept: servers started here, blobs, logs'),
  RAGMESH_MODE: oneOf('mesh').default('mesh').describe('How ragmesh runs'),
  SERVER_PORT: int({ min: 1, max: 65_535 }).default(8080).describe('Port of the HTTP server'),
  SERVER_TLS_CERT_FILE: string().optional().describe('Certificate (PEM) the edge serves HTTPS with'),
  AUTH_MODE: string().default('off').describe('Which credentials the edge asks for; none while it is `off`'),
  DATABASE_URL: url('postgresql', 'postgres')
    .secret()
    .optional()
    .describe('PostgreSQL server; one is started in the data folder without it'),
  KAFKA_BROKERS: string()
    .optional()
    .describe(
      'Kafka brokers; without them a broker is started when its jars are there, else events run over PostgreSQL',
    ),
  REDIS_URL: url('redis', 'rediss')
    .secret()
    .optional()
    .describe('Redis; without it redis-server is started when it is installed, else caches live in each process'),
  VECTOR_STORE: string()
    .optional()
    .describe('Where vectors are searched; without it in Qdrant when QDRANT_URL is set, else `embedded`'),
  QDRANT_URL: url('http', 'https').optional().describe('Qdrant; without it vectors are kept in PostgreSQL'),
  S3_BUCKET: string().optional().describe('Bucket that keeps uploads; without it they lie in the data folder'),
  MESH_LOCAL_SERVERS: bool()
    .default(true)
    .describe('Whether Kafka and Redis are started here when they are found and no address is given'),
});

export type MeshConfig = ConfigOf<typeof meshConfig>;

/** Where the edge answers, from this machine. */
export const edgeUrl = ({ SERVER_TLS_CERT_FILE, SERVER_PORT }: MeshConfig): string =>
  `${SERVER_TLS_CERT_FILE ? 'https' : 'http'}://127.0.0.1:${SERVER_PORT}`;
