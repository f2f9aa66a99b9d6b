import { databaseServerUrl, databaseUrl, processConfig } from '@ragmesh/bootstrap';
import { createPool } from '@ragmesh/postgres';
import { read, type Situation } from './situation.js';

const { DATABASE_URL, DATABASE_TLS, DATABASE_TLS_CA_FILE, DATABASE_TLS_CERT_FILE, DATABASE_TLS_KEY_FILE } =
  processConfig.variables;
const files = { DATABASE_TLS_CA_FILE, DATABASE_TLS_CERT_FILE, DATABASE_TLS_KEY_FILE };

/** Where the databases of the mesh are; undefined in standalone, and where the configuration is wrong. */
export function meshDatabase(situation: Situation): { server: string; of(database: string): string } | undefined {
  if (situation.mode === 'standalone') return undefined;
  const config = read(situation, { DATABASE_URL, DATABASE_TLS, ...files });
  if (config === undefined) return undefined;
  const base = databaseServerUrl(config);
  return {
    server: new URL(config.DATABASE_URL).host || 'its socket',
    of: (database) => databaseUrl(base, database),
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
