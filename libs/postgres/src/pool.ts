import pg from 'pg';
import { KEEP_ALIVE_AFTER_MS, breakWhenSilent } from './silent-connection.js';

export interface PoolOptions {
  /** Most connections at a time. */
  readonly max?: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  /** Longest run of one statement, in ms. */
  readonly statementTimeoutMs?: number;
  /** Longest silence of a server that owes an answer, in ms; by default 5 s more than a statement may run. */
  readonly longestSilenceMs?: number;
  /** Called when an idle connection breaks; the pool replaces it by itself. */
  readonly onIdleError?: (error: Error) => void;
}

const int8 = 20;

/** Counts and positions fit a number; what does not stays text, so that no digit is lost silently. */
function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8 && format !== 'binary'
      ? parseInt8
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/**
 * A connection pool that gives up in time: 5 s to connect, 30 s for a statement, 35 s for a server that has gone silent; idle
 * transactions end after 60 s. A connection that was given up is replaced.
 */
export function createPool(url: string, options: PoolOptions = {}): pg.Pool {
  const { max = 10, applicationName = 'ragmesh', statementTimeoutMs = 30_000, onIdleError = () => undefined } = options;
  const { longestSilenceMs = statementTimeoutMs + 5_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    pipeline: true,
    types,
  });
  pool.on('error', onIdleError);
  // A connection can break between leaving the pool and being used; its next query reports that.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
    breakWhenSilent(client, longestSilenceMs);
  });
  return pool;
}
