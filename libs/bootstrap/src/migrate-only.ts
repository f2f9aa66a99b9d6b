import { databaseName } from '@ragmesh/contracts';
import { loadConfig, type Environment } from '@ragmesh/config';
import { inboxMigrations } from '@ragmesh/inbox';
import { createLogger, type Logger } from '@ragmesh/observability';
import { outboxMigrations } from '@ragmesh/outbox';
import { migrate } from '@ragmesh/postgres';
import { sagaMigrations } from '@ragmesh/saga';
import { checkConfiguration } from './check-configuration.js';
import { meshVariables } from './mesh-variables.js';
import { processConfig } from './process.config.js';
import { databaseUrl } from './service-addresses.js';
import type { AnyServiceDefinition } from './service-definition.js';
import { databaseServerUrl } from './tls.config.js';

/** Asks a service's program for {@link migrateOnly}. */
export const MIGRATE_ONLY = '--migrate-only';

/**
 * Brings a service's database to where this release wants it, once no other process does.
 * @returns the names of the migrations this call applied.
 */
export const migrateService = (
  { migrations }: Pick<AnyServiceDefinition, 'migrations'>,
  url: string,
  logger?: Logger,
): Promise<string[]> =>
  migrate(
    { url, ...(logger && { onWait: (message: string) => logger.info(message) }) },
    ...[outboxMigrations, inboxMigrations, sagaMigrations, migrations],
  );

/**
 * Does what a service does to its database when it starts, and nothing else: a deployment may have it done before the first
 * new process runs. Reads no more of the environment than what every process reads.
 * @throws RagmeshError STORAGE.UNAVAILABLE; whoever runs it tries again.
 */
export async function migrateOnly(definition: AnyServiceDefinition, environment: Environment): Promise<void> {
  checkConfiguration([processConfig], environment, [definition.config, meshVariables]);
  const config = loadConfig(processConfig, environment);
  const url = databaseUrl(databaseServerUrl(config), databaseName(definition.name));
  const logger = createLogger(definition.name, config.LOG_LEVEL);
  const applied = await migrateService(definition, url, logger);
  logger.info({ migrations: applied }, 'The database is up to date');
}
