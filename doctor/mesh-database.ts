import { databaseServerUrl, databaseUrl, processConfig } from '@ragmesh/bootstrap';
import { databaseName, type ServiceName } from '@ragmesh/contracts';
import { createPool } from '@ragmesh/postgres';
import { databaseVariable, serviceDatabases } from '../backup/backup.config.js';
import { read, type Situation } from './situation.js';

const { DATABASE_URL, DATABASE_TLS, DATABASE_TLS_CA_FILE, DATABASE_TLS_CERT_FILE, DATABASE_TLS_KEY_FILE } =
  processConfig.variables;
const files = { DATABASE_TLS_CA_FILE, DATABASE_TLS_CERT_FILE, DATABASE_TLS_KEY_FILE };

/** Where the databases of a mesh are, by their connection strings. */
export interface MeshDatabase {
  /** The server of DATABASE_URL, for people. */
  readonly server: string;
  /** A database on that server. */
  of(database: string): string;
  /** That of a service, which may be on a server of its own. */
  ofService(service: ServiceName): string;
}

/** Undefined in standalone, of a local mesh that does not run, and where the configuration is wrong. */
export function meshDatabase(situation: Situation): MeshDatabase | undefined {
  if (situation.mode === 'standalone') return undefined;
  const config = read(situation, { DATABASE_URL, DATABASE_TLS, ...files, ...serviceDatabases.variables });
  if (config === undefined) return undefined;
  const onServer = (server: string, database: string): string =>
    databaseUrl(databaseServerUrl({ ...config, DATABASE_URL: server }), database);
  return {
    server: new URL(config.DATABASE_URL).host || 'its socket',
    of: (database) => onServer(config.DATABASE_URL, database),
    ofService: (service) => onServer(config[databaseVariable(service)] ?? config.DATABASE_URL, databaseName(service)),
  };
}

/** Asks one question. @throws the driver's error. */
export async function askDatabase<R extends object>(url: string, question: string): Promise<R[]> {
  const pool = createPool(url, { max: 1, applicationName: 'ragmesh-doctor', statementTimeoutMs: 5_000 });
  try {
    return (await pool.query<R>(question)).rows;
  } finally {
    await pool.end();
  }
}
