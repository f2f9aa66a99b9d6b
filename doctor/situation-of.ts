import { existsSync } from 'node:fs';
import { secretFileName, type Environment } from '@ragmesh/config';
import { gatewayService } from '@ragmesh/service-gateway';
import { Gateway } from './gateway.js';
import { read, type Mode, type Situation } from './situation.js';

const LEAST_FREE_BYTES = 2 ** 30;

interface Asked {
  readonly mode?: Mode | undefined;
  readonly url?: string | undefined;
  readonly key?: string | undefined;
}

/** What is looked at, from the environment of the services and what was asked for on the command line. */
export function situationOf(environment: Environment, { mode, url, key }: Asked = {}): Situation {
  const own = gatewayOf(environment);
  const gateway = new Gateway({
    url: url?.replace(/\/$/, '') ?? own.url,
    key: key ?? own.key,
    certificate: url === undefined ? own.certificate : undefined,
  });
  const nodeVersion = process.versions.node;
  return { mode: mode ?? modeOf(environment), environment, gateway, nodeVersion, leastFreeBytes: LEAST_FREE_BYTES };
}

/** The gateway that these settings describe. What is wrong with one of them the check of the configuration tells. */
function gatewayOf(environment: Environment) {
  const { SERVER_HOST, SERVER_PORT, SERVER_TLS_CERT_FILE, RAGMESH_BOOTSTRAP_KEY } = gatewayService.config.variables;
  const certificate = read({ environment }, { SERVER_TLS_CERT_FILE })?.SERVER_TLS_CERT_FILE;
  const host = reachable(read({ environment }, { SERVER_HOST })?.SERVER_HOST ?? '127.0.0.1');
  const port = read({ environment }, { SERVER_PORT })?.SERVER_PORT ?? 8080;
  return {
    url: `${certificate ? 'https' : 'http'}://${host}:${port}`,
    key: read({ environment }, { RAGMESH_BOOTSTRAP_KEY })?.RAGMESH_BOOTSTRAP_KEY,
    certificate: certificate && existsSync(certificate) ? certificate : undefined,
  };
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
