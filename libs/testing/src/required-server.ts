import { describe } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findKafkaJars, PgvectorPostgres, RedisServer, serversFolder } from '@ragmesh/local-servers';

/** Servers that npm does not bring, so a machine may lack them. */
export type RequiredServer = 'kafka' | 'redis' | 'pgvector' | 'python-clients' | 'promtool' | 'helm' | 'openssl';

const pythonClients = join(serversFolder, 'python-clients', 'version');

const servers: Record<RequiredServer, { isThere(): boolean; advice: string }> = {
  kafka: {
    isThere: () => findKafkaJars() !== undefined,
    advice: 'install Java 17 and Maven, then run "npm run servers"',
  },
  redis: { isThere: () => RedisServer.isInstalled(), advice: 'install redis-server' },
  pgvector: {
    isThere: () => PgvectorPostgres.isInstalled(),
    advice: 'install Python with pip, then run "npm run servers"',
  },
  'python-clients': {
    isThere: () => existsSync(pythonClients),
    advice: 'install Python with pip, then run "npm run servers"',
  },
  openssl: {
    isThere: () => spawnSync('openssl', ['version'], { stdio: 'ignore' }).status === 0,
    advice: 'install openssl 3',
  },
  promtool: {
    isThere: () => spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0,
    advice: 'install prometheus, which brings promtool',
  },
  helm: {
    isThere: () => existsSync(join(serversFolder, 'helm', 'version')),
    advice: 'install Go 1.26, then run "npm run servers helm"',
  },
};

/**
 * A `describe` whose tests need a local server. Without it they are reported as skipped, never as passed, and the reason
 * is printed; where skips count as failures (`npm test -- --fail-on-skip`), a missing server cannot go unnoticed.
 */
export function describeWithServer(
  needed: RequiredServer | readonly RequiredServer[],
  title: string,
  suite: () => void,
): void {
  const missing = [needed].flat().find((server) => !servers[server].isThere());
  if (missing === undefined) {
    describe(title, suite);
    return;
  }
  const { advice } = servers[missing];
  process.stderr.write(`\nNOT TESTED without ${missing}: "${title}". To run it, ${advice}.\n\n`);
  describe.skip(title, suite);
}
