import { bool, file, oneOf, readTlsFiles, string, tlsFileVariables } from '@ragmesh/config';
import type { GrpcTls } from '@ragmesh/grpc';

/** How a process of the mesh protects what it says to others. */
export const tlsVariables = {
  DATABASE_TLS: bool()
    .default(false)
    .describe('Speak TLS to PostgreSQL and check its certificate; a `sslmode` in DATABASE_URL goes before'),
  ...tlsFileVariables('DATABASE', 'PostgreSQL'),
  GRPC_TLS: oneOf('off', 'tls', 'mtls')
    .default('off')
    .describe('What services ask of each other: nothing, the certificate of who is called, or of both sides'),
  GRPC_TLS_CERT_FILE: file().optional().describe('Certificate (PEM) of this service'),
  GRPC_TLS_KEY_FILE: file().optional().describe('Private key (PEM) of that certificate'),
  GRPC_TLS_CA_FILE: file()
    .optional()
    .describe("Certificates (PEM) of the authorities that services are trusted by; the system's unless set"),
  GRPC_TLS_SERVER_NAME: string()
    .optional()
    .describe('Name that certificates of services bear, when it is not the host in their address'),
} as const;

interface GrpcTlsConfig {
  readonly GRPC_TLS: 'off' | 'tls' | 'mtls';
  readonly GRPC_TLS_CERT_FILE: string | undefined;
  readonly GRPC_TLS_KEY_FILE: string | undefined;
  readonly GRPC_TLS_CA_FILE: string | undefined;
  readonly GRPC_TLS_SERVER_NAME: string | undefined;
}

interface DatabaseTlsConfig {
  readonly DATABASE_URL: string;
  readonly DATABASE_TLS: boolean;
  readonly DATABASE_TLS_CA_FILE: string | undefined;
  readonly DATABASE_TLS_CERT_FILE: string | undefined;
  readonly DATABASE_TLS_KEY_FILE: string | undefined;
}

/** What is said when {@link hasGrpcFiles} does not hold. */
export const GRPC_FILES_MISSING =
  'GRPC_TLS needs GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE, and mtls GRPC_TLS_CA_FILE, too: whom it trusts must be said';

/** Whether everything is there that the way services speak to each other needs. */
export function hasGrpcFiles(config: GrpcTlsConfig): boolean {
  if (config.GRPC_TLS === 'off') return true;
  if (!config.GRPC_TLS_CERT_FILE || !config.GRPC_TLS_KEY_FILE) return false;
  return config.GRPC_TLS !== 'mtls' || config.GRPC_TLS_CA_FILE !== undefined;
}

/** What the files hold at the moment; undefined while services speak in the clear. @throws RagmeshError CONFIG.INVALID for files that cannot be used. */
export function grpcTls(config: GrpcTlsConfig): GrpcTls | undefined {
  if (config.GRPC_TLS === 'off') return undefined;
  const { ca, cert, key } = readTlsFiles(config, 'GRPC')!;
  const name = config.GRPC_TLS_SERVER_NAME;
  return {
    ...(ca ? { ca } : {}),
    ...(name === undefined ? {} : { serverName: name }),
    ...{ cert: cert!, key: key!, isMutual: config.GRPC_TLS === 'mtls' },
  };
}

/**
 * The URL of the PostgreSQL server with what its driver needs for TLS, in the parameters of libpq. The driver reads the
 * files for every connection, so renewed certificates are taken without a restart.
 * @throws RagmeshError CONFIG.INVALID for files that cannot be used.
 */
export function databaseServerUrl(config: DatabaseTlsConfig): string {
  if (!config.DATABASE_TLS) return config.DATABASE_URL;
  readTlsFiles(config, 'DATABASE');
  const url = new URL(config.DATABASE_URL);
  const parameters = {
    sslmode: 'verify-full',
    sslrootcert: config.DATABASE_TLS_CA_FILE,
    sslcert: config.DATABASE_TLS_CERT_FILE,
    sslkey: config.DATABASE_TLS_KEY_FILE,
  };
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && !url.searchParams.has(name)) url.searchParams.set(name, value);
  return url.href;
}
