import { fileURLToPath } from 'node:url';
import { asStorageError, createPool, migrate } from '@ragmesh/postgres';
import type pg from 'pg';

type Row = Record<string, unknown>;
/** Runs one statement; named statements are prepared once per connection. */
export type RunStatement = <T extends Row>(text: string, values?: unknown[], name?: string) => Promise<T[]>;

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** The bus's connections. Every commit is durable unless the statement asks for less; failures are `STORAGE.*`. */
export class BusDatabase {
  private readonly pool: pg.Pool;

  constructor(
    private readonly url: string,
    onError: (error: unknown) => void,
  ) {
    this.pool = createPool(url, { max: 6, applicationName: 'ragmesh-bus', onIdleError: onError });
  }

  /** Creates the tables, and the database itself, where they are missing. */
  async migrate(): Promise<void> {
    await migrate(this.url, MIGRATIONS);
  }

  readonly query: RunStatement = async <T extends Row>(text: string, values: unknown[] = [], name?: string) => {
    try {
      return (await this.pool.query<T>({ text, values, ...(name && { name }) })).rows;
    } catch (error) {
      throw asStorageError(error);
    }
  };

  /** One transaction whose commit need not reach the disk: what it changes may be repeated after a crash. */
  async coordinate<T>(work: (run: RunStatement) => Promise<T>): Promise<T> {
    const client = await this.pool.connect().catch((error: unknown) => {
      throw asStorageError(error);
    });
    const lost = (error: Error) => (broken = error);
    let broken: Error | undefined;
    client.on('error', lost);
    try {
      await client.query('begin; set local synchronous_commit = off');
      const result = await work(async <R extends Row>(text: string, values: unknown[] = []) => {
        return (await client.query<R>(text, values)).rows;
      });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(lost);
      throw asStorageError(error);
    } finally {
      client.off('error', lost);
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
