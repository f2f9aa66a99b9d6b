import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import pg from 'pg';
import { takeMigrationLock } from './migration-lock.js';
import { asStorageError } from './postgres-error.js';
import { KEEP_ALIVE_AFTER_MS } from './silent-connection.js';

/** One folder with a `migration.sql`. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export interface MigrationTarget {
  readonly url: string;
  /** Longest wait for another process that migrates the same database, in ms; by default 10 min. */
  readonly lockWithinMs?: number;
  /** Told in a sentence that it waits; by default the process emits a warning. */
  readonly onWait?: (message: string) => void;
}

const LOCK_WITHIN_MS = 600_000;
const warn = (message: string): void => process.emitWarning(message, 'MigrationWarning');
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
 * The migrations that are not recorded as applied, in order.
 * @throws RagmeshError `STORAGE.MIGRATION_FAILED` for one that another tool left half done, or whose file was edited after
 * it ran.
 */
async function pending(client: pg.Client, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  const table = await client.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`);
  if (table.rows[0].exists !== true) return migrations;
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
  return migrations.filter(({ name }) => !recorded.has(name));
}

const checksumOf = (sql: string): string => createHash('sha256').update(sql).digest('hex');

const migrationFailed = (message: string, cause?: unknown): RagmeshError =>
  new RagmeshError('STORAGE.MIGRATION_FAILED', message, {}, { cause });

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'ragmesh-migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  });
  client.on('error', () => undefined); // the pending query rejects with the same error
  await client.connect();
  return client;
}

/** The record Prisma keeps, so that its tools know these databases. */
const RECORD_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz, migration_name varchar(255) NOT NULL,
    logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0)`;

const RECORD = `
  INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
  VALUES (gen_random_uuid(), $1, $2, now(), clock_timestamp(), 1)`;

/** Script and record commit together, so a process that is killed meanwhile leaves all of a migration or nothing. */
async function apply(client: pg.Client, { name, sql }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await client.query(RECORD, [checksumOf(sql), name]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined); // a connection that broke has rolled back already
    const storageError = asStorageError(error);
    if (storageError !== error) throw storageError;
    throw migrationFailed(`Migration ${name} could not be applied: ${(error as Error).message}`, error);
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
 * processes at once: an advisory lock lets one work while the others wait, for 10 min; and to be killed at any moment. A migration
 * runs in one transaction, so it must not contain what PostgreSQL refuses there (`CREATE INDEX CONCURRENTLY`, say).
 * @returns the names of the migrations applied by this call.
 * @throws RagmeshError `STORAGE.MIGRATION_FAILED`, `STORAGE.UNAVAILABLE` or `STORAGE.FULL`.
 */
export async function migrate(target: string | MigrationTarget, ...folders: string[]): Promise<string[]> {
  const { url, lockWithinMs = LOCK_WITHIN_MS, onWait = warn } = typeof target === 'string' ? { url: target } : target;
  const migrations = await readMigrations(folders);
  try {
    const client = await connectCreating(url);
    try {
      await takeMigrationLock(client, lockWithinMs, onWait);
      const toApply = await pending(client, migrations);
      if (toApply.length > 0) await client.query(RECORD_TABLE);
      for (const migration of toApply) await apply(client, migration);
      return toApply.map(({ name }) => name);
    } finally {
      await client.end(); // and with it the lock
    }
  } catch (error) {
    throw asStorageError(error);
  }
}

/**
 * The migrations a database lacks; nothing is changed. Undefined where there is no such database.
 * @throws RagmeshError `STORAGE.MIGRATION_FAILED` as {@link migrate}; the driver's error when the server does not let it in.
 */
export async function pendingMigrations(url: string, ...folders: string[]): Promise<readonly string[] | undefined> {
  const migrations = await readMigrations(folders);
  const client = await connect(url).catch((error: unknown) => {
    if (isMissingDatabase(error)) return undefined;
    throw error;
  });
  if (!client) return undefined;
  try {
    return (await pending(client, migrations)).map(({ name }) => name);
  } finally {
    await client.end();
  }
}
