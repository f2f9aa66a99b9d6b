import { kafkaVariables } from '@ragmesh/bootstrap';
import { bool, defineConfig, string, tlsFileVariables, url, type ConfigOf } from '@ragmesh/config';
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

/** Where the databases of services are that have a server of their own. */
export const serviceDatabases = defineConfig(databases);

/** What `backup` and `restore` read, beside what `document` reads to find blobs. */
export const backupConfig = defineConfig({
  RAGMESH_DATA_DIR: string().default('.ragmesh').describe('Folder of a standalone ragmesh'),
  DATABASE_URL: url('postgresql', 'postgres')
    .secret()
    .optional()
    .describe('PostgreSQL server of a mesh; without it ragmesh is standalone'),
  ...databases,
  ...kafkaVariables,
  DATABASE_TLS: bool().default(false).describe('Speak TLS to PostgreSQL and check its certificate'),
  ...tlsFileVariables('DATABASE', 'PostgreSQL'),
});

export type BackupConfig = ConfigOf<typeof backupConfig>;
