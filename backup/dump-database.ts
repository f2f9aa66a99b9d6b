import { writeCompressed } from './backup-file.js';
import type { Snapshot } from './consistent-cut.js';
import { CopyOut, startCopy } from './copy-stream.js';
import type { DatabaseCopy, TableCopy } from './manifest.js';
import { optionalMigrationsOf } from './release.js';
import { placesOf, tablesOf } from './tables.js';

const MIGRATIONS = `
  SELECT migration_name AS name, checksum AS sha256 FROM _prisma_migrations
  WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name`;

/** Sequences stand outside of transactions: what they say is at least what the rows of the cut used. */
const SEQUENCES = `
  SELECT schemaname AS schema, sequencename AS name, last_value::text AS value FROM pg_sequences
  WHERE last_value IS NOT NULL AND schemaname !~ '^pg_' ORDER BY 1, 2`;

/** Writes every row that the snapshot sees into the backup, a file per table. */
export async function dumpDatabase(folder: string, { service, client }: Snapshot): Promise<DatabaseCopy> {
  const optional = optionalMigrationsOf(service);
  const { rows: migrations } = await client.query<DatabaseCopy['migrations'][number]>(MIGRATIONS);
  const tables: TableCopy[] = [];
  for (const table of await tablesOf(client)) {
    const rows = startCopy(client, new CopyOut(`COPY ${placesOf(client, table)} TO STDOUT`));
    const path = `databases/${service}/${table.schema}.${table.name}.copy.gz`;
    tables.push({ ...table, file: await writeCompressed(folder, path, rows) });
  }
  const { rows: sequences } = await client.query<DatabaseCopy['sequences'][number]>(SEQUENCES);
  return { service, migrations: migrations.filter(({ name }) => !optional.includes(name)), tables, sequences };
}
