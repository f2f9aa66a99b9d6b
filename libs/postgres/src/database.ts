import type pg from 'pg';
import { asStorageError } from './postgres-error.js';
import type { SqlResult, SqlTransaction } from './sql-transaction.js';

type Runner = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

async function run<R>(runner: Runner, text: string, values: readonly unknown[] = []): Promise<SqlResult<R>> {
  try {
    const result = await (runner as pg.Pool).query(text, [...values]);
    return { rows: result.rows as R[], rowCount: result.rowCount ?? 0 };
  } catch (error) {
    throw asStorageError(error);
  }
}

/**
 * Plain SQL over a pool. Every failure of the database itself arrives as `STORAGE.UNAVAILABLE` or `STORAGE.FULL`; errors
 * of the statement (a constraint, say) arrive as the driver's, see `isUniqueViolation`.
 */
export class Database implements SqlTransaction {
  constructor(readonly pool: pg.Pool) {}

  query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>> {
    return run<R>(this.pool, text, values);
  }

  /** Commits when `work` resolves and rolls back when it rejects; a broken connection never returns to the pool. */
  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw asStorageError(error);
    });
    let broken: Error | undefined;
    const noteBreak = (error: Error): void => void (broken = error);
    client.on('error', noteBreak);
    try {
      await run(client, 'BEGIN');
      const result = await work({ query: (text, values) => run(client, text, values) });
      await run(client, 'COMMIT');
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((rollbackError: Error) => noteBreak(rollbackError));
      throw asStorageError(error);
    } finally {
      client.off('error', noteBreak);
      client.release(broken);
    }
  }

  /** Waits for running statements, then closes every connection. */
  async close(): Promise<void> {
    await this.pool.end();
  }
}
