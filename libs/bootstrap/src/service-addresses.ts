import { peerVariable, type ProcessConfig } from './process.config.js';

const wildcard: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Where this process listens for gRPC. */
export const listenAddress = ({ GRPC_HOST, GRPC_PORT }: ProcessConfig): string =>
  `${bracketed(GRPC_HOST)}:${GRPC_PORT}`;

/** Where to call a service: the process itself on its own port, its peers as configured. */
export function peerAddress(config: ProcessConfig, self: string, service: string): string {
  if (service !== self) return config[peerVariable(service)];
  const { GRPC_HOST, GRPC_PORT } = config;
  return `${wildcard[GRPC_HOST] ?? bracketed(GRPC_HOST)}:${GRPC_PORT}`;
}

/** The URL of a database: the one the URL names, else the one given on the same server. */
export function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  if (url.pathname === '' || url.pathname === '/') url.pathname = `/${database}`;
  return url.href;
}

/** The bus's database on the same server, whatever database the URL names. */
export function busDatabaseUrl(serverUrl: string): string {
  const url = new URL(serverUrl);
  url.pathname = '/ragmesh_bus';
  return url.href;
}
