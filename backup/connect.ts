import { asStorageError } from '@ragmesh/postgres';
import pg from 'pg';

/** One connection, without the limits on statements and idle transactions that the services' pools have. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const options = {
    connectionString,
    application_name: 'ragmesh-backup',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
  const client = new pg.Client(options);
  client.on('error', () => undefined); // what runs on it rejects with the same error
  try {
    await client.connect();
    // A snapshot stays open while other databases are copied, however long that takes and whatever the server's defaults are.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0');
    return client;
  } catch (error) {
    await client.end().catch(() => undefined); // why it did not connect says more
    throw asStorageError(error);
  }
}

/**
 * One connection to each, or none: where one cannot be had, the others are closed, lest they keep the process from ending.
 * @throws the error of the first that could not be had.
 */
export async function connectAll(connectionStrings: readonly string[]): Promise<pg.Client[]> {
  const opened = await Promise.allSettled(connectionStrings.map(connect));
  const clients = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (!failed) return clients;
  await Promise.all(clients.map((client) => client.end()));
  throw failed.reason;
}
