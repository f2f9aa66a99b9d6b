import { existsSync } from 'node:fs';
import { secretFileName, type Environment } from '@ragmesh/config';
import { gatewayService } from '@ragmesh/service-gateway';
import { localMesh, type LocalMesh } from '@ragmesh/service-mesh/local-mesh';
import { Gateway } from './gateway.js';
import { read, type Mode, type Situation } from './situation.js';

const LEAST_FREE_BYTES = 2 ** 30;

interface Asked {
  readonly mode?: Mode | undefined;
  readonly url?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * What is looked at, from what was asked for on the command line, then the environment of the services and the shell variables
 * that runbooks use. A mesh that `npm run mesh` started is found by its data folder.
 * @throws RagmeshError CONFIG.INVALID where these do not say what is meant.
 */
export function situationOf(given: Environment, { mode, url, key }: Asked = {}): Situation {
  const mesh = localMesh(given, mode);
  const environment = mesh?.environment ?? given;
  const own = gatewayOf(environment, mesh?.isRunning ? mesh.record.edge : undefined);
  const asked = url ?? named(environment);
  const address = (asked ?? own.url).replace(/\/$/, '');
  return {
    mode: mesh ? 'mesh' : (mode ?? modeOf(environment)),
    environment,
    isLocalMesh: mesh !== undefined,
    gateway: new Gateway({
      url: address,
      key: key ?? (environment['RAG_KEY'] || own.key),
      certificate: address === own.url ? own.certificate : undefined,
    }),
    isEdgeExpected: asked !== undefined || mesh?.isRunning === true,
    nodeVersion: process.versions.node,
    leastFreeBytes: LEAST_FREE_BYTES,
  };
}

/**
 * The gateway that these settings describe, or the one that is known to run. What is wrong with one of the settings the check
 * of the configuration tells.
 */
function gatewayOf(environment: Environment, running: LocalMesh['record']['edge'] | undefined) {
  const { SERVER_HOST, SERVER_PORT, SERVER_TLS_CERT_FILE, RAGMESH_BOOTSTRAP_KEY } = gatewayService.config.variables;
  const named = running ? running.certificate : read({ environment }, { SERVER_TLS_CERT_FILE })?.SERVER_TLS_CERT_FILE;
  const host = reachable(read({ environment }, { SERVER_HOST })?.SERVER_HOST ?? '127.0.0.1');
  const port = read({ environment }, { SERVER_PORT })?.SERVER_PORT ?? 8080;
  return {
    url: running?.url ?? `${named ? 'https' : 'http'}://${host}:${port}`,
    key: read({ environment }, { RAGMESH_BOOTSTRAP_KEY })?.RAGMESH_BOOTSTRAP_KEY,
    certificate: named && existsSync(named) ? named : undefined,
  };
}

/** The address that runbooks call the edge by. */
const named = (environment: Environment): string | undefined => environment['RAGMESH'] || undefined;

/** A service of a mesh cannot do without the address of its database, and standalone brings its own. */
function modeOf(environment: Environment): Mode {
  const asked = environment['RAGMESH_MODE'];
  if (asked === 'mesh' || asked === 'standalone') return asked;
  return environment['DATABASE_URL'] || environment[secretFileName('DATABASE_URL')] ? 'mesh' : 'standalone';
}

/** Where to connect to what listens on every address. */
const reachable = (host: string): string =>
  ({ '0.0.0.0': '127.0.0.1', '::': '[::1]' })[host] ?? (host.includes(':') ? `[${host}]` : host);
