import type { Database } from '@ragmesh/postgres';

const PING_TIMEOUT_MS = 2_000;

/** Whether a database answers within two seconds. */
export async function answersInTime(database: Database): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), PING_TIMEOUT_MS);
  const ping = database.query('SELECT 1').then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([ping, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
