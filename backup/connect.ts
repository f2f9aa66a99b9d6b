import { asStorageError } from '@ragmesh/postgres';
import pg from 'pg';

/** One connection, without the limits on statements and idle transactions that the services' pools have. */
export async function connect(connectionString: string): Promise<pg.Client> {
  const options = {
    connectionString,
    application_name: 'ragmesh-backup',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
  };
  const client = new pg.Client(options);
  client.on('error', () => undefined); // what runs on it rejects with the same error
  try {
    await client.connect();
    // A snapshot stays open while other databases are copied, however long that takes and whatever the server's defaults are.
    await client.query('SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0');
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw asStorageError(error);
  }
}
