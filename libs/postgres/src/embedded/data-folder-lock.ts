import pg from 'pg';
import { RagmeshError } from '@ragmesh/errors';

const advisoryLock = 7_246_373;
const namePrefix = 'ragmesh-lock:';

/** A session advisory lock: the server lets go of it the moment this process dies, however it dies. */
export class DataFolderLock {
  private constructor(private readonly client: pg.Client) {}

  /** @throws RagmeshError `CONFIG.DATA_DIR_IN_USE` when another process holds it. */
  static async acquire(url: string, root: string, onLost: () => void): Promise<DataFolderLock> {
    const client = new pg.Client({
      connectionString: url,
      application_name: `${namePrefix}${process.pid}`,
      keepAlive: true,
    });
    client.on('error', () => undefined); // 'end' follows
    await client.connect();
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS held', [advisoryLock]);
    if (rows[0].held === true) {
      client.once('end', onLost);
      return new DataFolderLock(client);
    }
    const holder = await DataFolderLock.holderOf(client);
    await client.end();
    throw new RagmeshError(
      'CONFIG.DATA_DIR_IN_USE',
      `Another ragmesh (pid ${holder}) uses the data folder ${root}. Stop it or set RAGMESH_DATA_DIR.`,
    );
  }

  private static async holderOf(client: pg.Client): Promise<string> {
    const { rows } = await client.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity JOIN pg_locks USING (pid)
       WHERE locktype = 'advisory' AND granted AND application_name LIKE $1 LIMIT 1`,
      [`${namePrefix}%`],
    );
    return rows[0]?.name.slice(namePrefix.length) ?? 'unknown';
  }

  async release(): Promise<void> {
    this.client.removeAllListeners('end');
    await this.client.end().catch(() => undefined); // the lock ends with the session, however that ends
  }
}
