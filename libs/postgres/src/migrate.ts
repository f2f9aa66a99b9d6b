import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import pg from 'pg';
import { asStorageError } from './postgres-error.js';
import { applyWithSchemaEngine } from './schema-engine.js';

/** One folder below `prisma/migrations`. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Any constant: all runners of one database must take the same one. */
const advisoryLock = 7_246_374;
const migrationFile = 'migration.sql';

async function readMigrations(folders: readonly string[]): Promise<Migration[]> {
  const lists = await Promise.all(folders.map(readFolder));
  return lists.flat().toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function readFolder(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(join(folder, name, migrationFile), 'utf8') })),
  );
}

/**
 * Whether every migration is recorded as finished, unchanged.
 * @throws RagmeshError `STORAGE.MIGRATION_FAILED` for one that failed before, or whose file was edited after it ran.
 */
async function isUpToDate(client: pg.Client, migrations: readonly Migration[]): Promise<boolean> {
  const table = await client.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`);
  if (table.rows[0].exists !== true) return false;
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
  );
  const recorded = new Map(rows.map((row) => [row.name, row]));
  for (const { name, sql } of migrations) {
    const record = recorded.get(name);
    if (record?.finished === false) throw migrationFailed(`Migration ${name} failed in an earlier run.`);
    if (record !== undefined && record.checksum !== checksumOf(sql)) {
      throw migrationFailed(`Migration ${name} was changed after it had been applied.`);
    }
  }
  return migrations.every(({ name }) => recorded.has(name));
}

const checksumOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');

const migrationFailed = (message: string, cause?: unknown): RagmeshError =>
  new RagmeshError('STORAGE.MIGRATION_FAILED', message, {}, { cause });

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ragmesh-migrate',
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined); // the pending query rejects with the same error
  await client.connect();
  return client;
}

async function apply(url: string, migrations: readonly Migration[]): Promise<string[]> {
  try {
    return await applyWithSchemaEngine(url, migrations);
  } catch (error) {
    const storageError = asStorageError(error);
    if (storageError !== error) throw storageError;
    throw migrationFailed(`The database could not be migrated: ${(error as Error).message}`, error);
  }
}

const isMissingDatabase = (error: unknown): boolean => (error as { code?: string }).code === '3D000';
const isAlreadyCreated = (error: unknown): boolean =>
  ['42P04', '23505'].includes(String((error as { code?: string }).code));

async function createDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  const name = decodeURIComponent(maintenance.pathname.slice(1));
  maintenance.pathname = '/postgres';
  const client = await connect(maintenance.href);
  try {
    await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
  } catch (error) {
    if (!isAlreadyCreated(error)) throw error;
  } finally {
    await client.end();
  }
}

async function connectCreating(url: string): Promise<pg.Client> {
  try {
    return await connect(url);
  } catch (error) {
    if (!isMissingDatabase(error)) throw error;
    await createDatabase(url);
    return connect(url);
  }
}

/**
 * Brings a database to the newest migration of all `folders` (a service's `prisma/migrations` and those of the libraries
 * whose tables it holds), ordered by name, forward only; creates the database when it is missing. Safe to run from several
 * processes at once: an advisory lock lets one work while the others wait. Prisma's schema engine does the work and keeps
 * its record; it is not even loaded when there is nothing to do.
 * @returns the names of the migrations applied by this call.
 * @throws RagmeshError `STORAGE.MIGRATION_FAILED`, `STORAGE.UNAVAILABLE` or `STORAGE.FULL`.
 */
export async function migrate(url: string, ...folders: string[]): Promise<string[]> {
  const migrations = await readMigrations(folders);
  try {
    const client = await connectCreating(url);
    try {
      await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
      if (await isUpToDate(client, migrations)) return [];
      return await apply(url, migrations);
    } finally {
      await client.end(); // and with it the lock
    }
  } catch (error) {
    throw asStorageError(error);
  }
}
