import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ServiceName } from '@ragmesh/contracts';
import { inboxMigrations } from '@ragmesh/inbox';
import { outboxMigrations } from '@ragmesh/outbox';
import { sagaMigrations } from '@ragmesh/saga';

const { resolve } = createRequire(import.meta.url);

/** Where a service lies: neither its code nor what that needs is loaded. */
const folderOf = (service: ServiceName): string => join(dirname(resolve(`@ragmesh/service-${service}`)), '..');

/** A migration this release has. */
export interface KnownMigration {
  readonly folder: string;
  readonly sha256: string;
}

/** Number of this release. */
export const release = (): string =>
  (JSON.parse(readFileSync(join(folderOf('gateway'), 'package.json'), 'utf8')) as { version: string }).version;

/** What makes the tables of a service's database in this release, by name. */
export function migrationsOf(service: ServiceName): Map<string, KnownMigration> {
  const own = join(folderOf(service), 'prisma', 'migrations');
  const known = new Map<string, KnownMigration>();
  for (const parent of [outboxMigrations, inboxMigrations, sagaMigrations, own]) {
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const folder = join(parent, entry.name);
      const sha256 = createHash('sha256')
        .update(readFileSync(join(folder, 'migration.sql')))
        .digest('hex');
      known.set(entry.name, { folder, sha256 });
    }
  }
  return known;
}

/** Migrations of what a backup leaves out, because whoever needs it makes it anew. */
export function optionalMigrationsOf(service: ServiceName): string[] {
  return service === 'vector' ? readdirSync(join(folderOf(service), 'prisma', 'pgvector')) : [];
}
