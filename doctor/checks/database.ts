import { databaseName, type ServiceName } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import { inboxMigrations } from '@ragmesh/inbox';
import { outboxMigrations } from '@ragmesh/outbox';
import { pendingMigrations } from '@ragmesh/postgres';
import { sagaMigrations } from '@ragmesh/saga';
import { fault, note, type Finding } from '../finding.js';
import { askDatabase, meshDatabase } from '../mesh-database.js';
import { services } from '../services.js';
import type { Situation } from '../situation.js';

const OLDEST = 140_000;

/** Whether PostgreSQL lets us in, is new enough, and has the tables of this release. Standalone brings its own. */
export async function checkDatabase(situation: Situation): Promise<Finding[]> {
  const database = meshDatabase(situation);
  if (database === undefined) return [];
  const maintenance = database.of('postgres');
  try {
    const question = `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version`;
    const [row] = await askDatabase<{ number: number; version: string }>(maintenance, question);
    const { number, version } = row!;
    if (number < OLDEST) return [tooOld(version)];
  } catch (error) {
    return [unreachable(database.server, error as NodeJS.ErrnoException)];
  }
  const findings = services.map(({ name, migrations }) => state(name, database.ofService(name), migrations));
  return (await Promise.all(findings)).flat();
}

async function state(service: ServiceName, url: string, folder: string): Promise<Finding[]> {
  try {
    const pending = await pendingMigrations(url, outboxMigrations, inboxMigrations, sagaMigrations, folder);
    if (pending === undefined) return [missing(service)];
    return pending.length === 0 ? [] : [behind(service, pending)];
  } catch (error) {
    if (!isRagmeshError(error)) return [unreachable(`the database of ${service}`, error as NodeJS.ErrnoException)];
    return [
      fault(
        `The database of ${service}: ${error.message}`,
        'The service refuses to start with tables that nobody vouches for.',
        'deploy the release that belongs to this database, or restore the backup from before: npm run restore -- --from FOLDER',
      ),
    ];
  }
}

const missing = (service: ServiceName): Finding =>
  note(
    `There is no database for ${service} yet.`,
    'The service makes it when it starts first, for which its user needs the right CREATEDB.',
    `npm run service -- ${service}, or CREATE DATABASE ${databaseName(service)} as an administrator`,
  );

const behind = (service: ServiceName, pending: readonly string[]): Finding =>
  fault(
    `The database of ${service} lacks ${pending.length} migrations, the first is ${pending[0]}.`,
    'What runs there is an older release than this one.',
    `restart ${service} with this release: services migrate when they start`,
  );

const tooOld = (version: string): Finding =>
  fault(
    `PostgreSQL is ${version}; 14 or later is needed.`,
    'Migrations use what older servers lack.',
    'upgrade the server with pg_upgrade or dump and restore',
  );

const advice: Readonly<Record<string, readonly [why: string, mend: string]>> = {
  '28P01': ['The password is wrong.', 'put the right one into DATABASE_URL or into the file of DATABASE_URL_FILE'],
  '28000': [
    'The server does not take this user from here.',
    'add a line for this machine to pg_hba.conf; where it asks for TLS, set DATABASE_TLS=on',
  ],
  '53300': ['All connections of the server are taken.', 'raise max_connections there, or lower MAX_CONNECTIONS here'],
};

/** The driver's words may repeat the connection string, so only its code is told. */
function unreachable(where: string, { code = 'unknown' }: NodeJS.ErrnoException): Finding {
  const known = advice[code];
  const why = `${known?.[0] ?? ''} Every service keeps its state there, so none can start.`.trim();
  const mend = known?.[1] ?? `pg_isready -d "$DATABASE_URL"; check host and port in DATABASE_URL, and DATABASE_TLS`;
  return fault(`PostgreSQL at ${where} does not let us in (${code}).`, why, mend);
}
