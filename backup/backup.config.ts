import { bool, defineConfig, oneOf, secret, string, tlsFileVariables, url, type ConfigOf } from '@ragmesh/config';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';

type DatabaseName = `${Uppercase<ServiceName>}_DATABASE_URL`;

export const databaseVariable = (service: ServiceName): DatabaseName =>
  `${service.toUpperCase()}_DATABASE_URL` as DatabaseName;

const databases = Object.fromEntries(
  serviceNames.map((service) => [
    databaseVariable(service),
    url('postgresql', 'postgres')
      .secret()
      .optional()
      .describe(`Database of ${service}, where it is not on the server of DATABASE_URL`),
  ]),
) as Record<DatabaseName, ReturnType<ReturnType<typeof url>['optional']>>;

/** What `backup` and `restore` read, beside what `document` reads to find blobs. */
export const backupConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of a standalone ragmesh'),
  RAGMESH_TOPIC_PREFIX: string().default('').describe('Put in front of every topic name'),
  DATABASE_URL: url('postgresql', 'postgres')
    .secret()
    .optional()
    .describe('PostgreSQL server of a mesh; without it ragmesh is standalone'),
  ...databases,
  KAFKA_BROKERS: string({
    matches: /^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/,
    expected: 'a list such as kafka-1:9092,kafka-2:9092',
  })
    .optional()
    .describe('Kafka brokers of a mesh that has some'),
  DATABASE_TLS: bool().default(false).describe('Speak TLS to PostgreSQL and check its certificate'),
  ...tlsFileVariables('DATABASE', 'PostgreSQL'),
  KAFKA_TLS: bool().default(false).describe('Speak TLS to the brokers'),
  ...tlsFileVariables('KAFKA', 'the brokers'),
  KAFKA_SASL_MECHANISM: oneOf('plain', 'scram-sha-256', 'scram-sha-512')
    .optional()
    .describe('How to log in to the brokers'),
  KAFKA_SASL_USERNAME: string().default('').describe('User of that login'),
  KAFKA_SASL_PASSWORD: secret().default('').describe('Password of that login'),
});

export type BackupConfig = ConfigOf<typeof backupConfig>;
