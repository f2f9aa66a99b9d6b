import type pg from 'pg';
import { GrowthAnalysis } from './growth-analysis.js';
import { PipelinedTransaction, runStatement } from './pipelined-transaction.js';
import { asStorageError } from './postgres-error.js';
import type { SqlResult, SqlRunner, SqlTransaction } from './sql-transaction.js';

/**
 * Plain SQL over a pool. Every failure of the database itself arrives as `STORAGE.UNAVAILABLE` or `STORAGE.FULL`; errors
 * of the statement (a constraint, say) arrive as the driver's.
 */
export class Database implements SqlRunner {
  readonly #growth = new GrowthAnalysis((sql) => this.pool.query(sql));

  /** @param pool made by `createPool`: transactions rely on its pipelining. */
  constructor(readonly pool: pg.Pool) {}

  async query<R = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<SqlResult<R>> {
    try {
      return await runStatement<R>(this.pool, text, values);
    } catch (error) {
      throw asStorageError(error);
    }
  }

  /** Commits when `work` resolves and rolls back when it rejects; a broken connection never returns to the pool. */
  async transaction<T>(work: (tx: SqlTransaction) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw asStorageError(error);
    });
    let broken: Error | undefined;
    const noteBreak = (error: Error): void => void (broken = error);
    client.on('error', noteBreak);
    const transaction = new PipelinedTransaction(client);
    try {
      const result = await work(transaction);
      await transaction.commit();
      this.#growth.noteTransaction();
      return result;
    } catch (error) {
      const cause = await transaction.rollback(error).catch((reason: Error) => {
        noteBreak(reason);
        return error;
      });
      throw asStorageError(cause);
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
