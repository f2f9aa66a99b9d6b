import { RagmeshError } from '@ragmesh/errors';
import type pg from 'pg';

/** Any constant: all runners of one database must take the same one. */
const advisoryLock = 7_246_374;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Lets one process at a time migrate a database; the lock ends with the connection. Where another holds it, `onWait` is told
 * so and the wait begins.
 * @throws RagmeshError `STORAGE.UNAVAILABLE` when the other is not done within `withinMs`.
 */
export async function takeMigrationLock(
  client: pg.Client,
  withinMs: number,
  onWait: (message: string) => void,
): Promise<void> {
  const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [advisoryLock]);
  if (rows[0].taken === true) return;
  const name = String(client.database);
  const seconds = Math.ceil(withinMs / 1_000);
  onWait(`Another process migrates the database ${name}; this one waits for it, ${seconds} s at most.`);
  await client.query(`SET lock_timeout = ${withinMs}`);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    throw new RagmeshError(
      'STORAGE.UNAVAILABLE',
      `Another process still migrates the database ${name} after ${seconds} s. Let it finish, or end its session ` +
        '("ragmesh-migrate" in pg_stat_activity), and start again.',
      {},
      { cause: error },
    );
  }
  await client.query('RESET lock_timeout');
}
