import { existsSync } from 'node:fs';
import { loadConfig, secretFileName, type ConfigDefinition, type Environment, type Variables } from '@ragmesh/config';
import { gatewayService } from '@ragmesh/service-gateway';
import { Gateway } from './gateway.js';
import type { Mode, Situation } from './situation.js';

const LEAST_FREE_BYTES = 2 ** 30;

interface Asked {
  readonly mode?: Mode | undefined;
  readonly url?: string | undefined;
  readonly key?: string | undefined;
}

/** What is looked at, from the environment of the services and what was asked for on the command line. */
export function situationOf(environment: Environment, { mode, url, key }: Asked = {}): Situation {
  const { SERVER_HOST, SERVER_PORT, SERVER_TLS_CERT_FILE, RAGMESH_BOOTSTRAP_KEY } = gatewayService.config.variables;
  const value = <T>(variables: Variables): T | undefined => {
    try {
      return Object.values(
        loadConfig({ variables, checks: [] } as unknown as ConfigDefinition<Variables>, environment),
      )[0] as T;
    } catch {
      return undefined; // the check of the configuration tells
    }
  };
  const certificate = value<string>({ SERVER_TLS_CERT_FILE });
  const host = reachable(value<string>({ SERVER_HOST }) ?? '127.0.0.1');
  const own = `${certificate ? 'https' : 'http'}://${host}:${value<number>({ SERVER_PORT }) ?? 8080}`;
  const gateway = new Gateway({
    url: url?.replace(/\/$/, '') ?? own,
    key: key ?? value<string>({ RAGMESH_BOOTSTRAP_KEY }),
    certificate: url === undefined && certificate && existsSync(certificate) ? certificate : undefined,
  });
  const nodeVersion = process.versions.node;
  return { mode: mode ?? modeOf(environment), environment, gateway, nodeVersion, leastFreeBytes: LEAST_FREE_BYTES };
}

/** A service of a mesh cannot do without the address of its database, and standalone brings its own. */
function modeOf(environment: Environment): Mode {
  const asked = environment['RAGMESH_MODE'];
  if (asked === 'mesh' || asked === 'standalone') return asked;
  return environment['DATABASE_URL'] || environment[secretFileName('DATABASE_URL')] ? 'mesh' : 'standalone';
}

/** Where to connect to what listens on every address. */
const reachable = (host: string): string =>
  ({ '0.0.0.0': '127.0.0.1', '::': '[::1]' })[host] ?? (host.includes(':') ? `[${host}]` : host);
