import {
  defineConfig,
  duration,
  int,
  isTlsPairWhole,
  isTlsUsed,
  oneOf,
  string,
  timeout,
  tlsPairFault,
  url,
  type ConfigOf,
  type Variable,
} from '@ragmesh/config';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { sentryDsn } from './error-report-target.js';
import { SASL_INCOMPLETE, kafkaVariables } from './kafka.config.js';
import { serviceAuthKey } from './service-key.js';
import { GRPC_FILES_MISSING, hasGrpcFiles, tlsVariables } from './tls.config.js';

const portRange = { min: 0, max: 65_535 };

/** Port on which a service answers gRPC unless it is told another. */
export const DEFAULT_GRPC_PORT = 50_051;

const nameOf = <S extends ServiceName>(service: S) =>
  `${service.toUpperCase()}_GRPC_ADDRESS` as `${Uppercase<S>}_GRPC_ADDRESS`;

type PeerName = { [S in ServiceName]: `${Uppercase<S>}_GRPC_ADDRESS` }[ServiceName];

const peers = Object.fromEntries(
  serviceNames.map((service) => [
    nameOf(service),
    string()
      .default(`dns:///${service}:${DEFAULT_GRPC_PORT}`)
      .describe(`Where ${service} answers gRPC; calls are spread over all addresses behind the name`),
  ]),
) as Record<PeerName, Variable<string>>;

/** The variable with the address of a service. */
export const peerVariable = (service: string): PeerName => nameOf(service as ServiceName);

/** What every process of the mesh reads, whichever service it runs. */
export const processConfig = defineConfig({
  RAGMESH_MODE: oneOf('mesh').default('mesh').describe('How ragmesh runs'),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error').default('info').describe('Least level that is logged'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http', 'https')
    .optional()
    .describe('Where traces go (OTLP over HTTP); not exported without it'),
  SENTRY_DSN: sentryDsn(),
  DATABASE_URL: url('postgresql', 'postgres')
    .secret()
    .describe(
      'PostgreSQL server; the service uses its database `ragmesh_<service>` there and creates it. A URL that names a database is taken as it is',
    ),
  MAX_CONNECTIONS: int({ min: 2, max: 500 }).default(10).describe('Most connections of this process to its database'),
  ...kafkaVariables,
  KAFKA_SESSION_TIMEOUT: duration({ min: 1, max: 300 })
    .default('10s')
    .describe(
      'How long a process that died keeps its partitions; brokers refuse less than `group.min.session.timeout.ms`',
    ),
  SERVICE_AUTH_KEY: serviceAuthKey(),
  GRPC_HOST: string()
    .default('127.0.0.1')
    .describe('Address the gRPC server listens on; `0.0.0.0` in a container, whose network only the mesh shares'),
  GRPC_PORT: int(portRange).default(DEFAULT_GRPC_PORT).describe('Port of the gRPC server'),
  ...peers,
  ...tlsVariables,
  PROBE_HOST: string().default('127.0.0.1').describe('Address /healthz, /readyz and /metrics are served on'),
  PROBE_PORT: int(portRange).default(9464).describe('Port of /healthz, /readyz and /metrics; 0 takes a free one'),
  SHUTDOWN_GRACE_SECONDS: timeout({ min: 0 })
    .default(5)
    .describe('Time between "not ready" and the end of service: what sends requests here needs it to notice'),
  SHUTDOWN_DEADLINE_SECONDS: timeout({ min: 1 })
    .default(30)
    .describe('Time for what is running then; after it, it is broken off'),
})
  .check(
    SASL_INCOMPLETE,
    (config) => !config.KAFKA_SASL_MECHANISM || Boolean(config.KAFKA_SASL_USERNAME && config.KAFKA_SASL_PASSWORD),
  )
  .check(tlsPairFault('KAFKA'), isTlsPairWhole('KAFKA'))
  .check(tlsPairFault('DATABASE'), isTlsPairWhole('DATABASE'))
  .check(
    'KAFKA_TLS_*_FILE are set, but KAFKA_TLS is off: set it on, or take them away',
    isTlsUsed('KAFKA', ({ KAFKA_TLS }) => KAFKA_TLS),
  )
  .check(
    'DATABASE_TLS_*_FILE are set, but DATABASE_TLS is off: set it on, or take them away',
    isTlsUsed('DATABASE', ({ DATABASE_TLS }) => DATABASE_TLS),
  )
  .check(
    'GRPC_TLS_*_FILE are set, but GRPC_TLS is off: set it to tls or mtls, or take them away',
    isTlsUsed('GRPC', ({ GRPC_TLS }) => GRPC_TLS !== 'off'),
  )
  .check(GRPC_FILES_MISSING, hasGrpcFiles);

export type ProcessConfig = ConfigOf<typeof processConfig>;
