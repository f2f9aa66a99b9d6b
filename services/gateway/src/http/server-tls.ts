import type { EdgeTls } from '@ragmesh/bootstrap';
import { readTlsFiles } from '@ragmesh/config';

interface ServerTlsConfig {
  readonly SERVER_TLS_CERT_FILE: string | undefined;
  readonly SERVER_TLS_KEY_FILE: string | undefined;
  readonly SERVER_TLS_CA_FILE: string | undefined;
}

/** Whether certificate and key are both there or both missing; authorities of clients are of no use without them. */
export function hasServerCertificate(config: ServerTlsConfig): boolean {
  const { SERVER_TLS_CERT_FILE: cert, SERVER_TLS_KEY_FILE: key, SERVER_TLS_CA_FILE: ca } = config;
  return (cert === undefined) === (key === undefined) && (ca === undefined || cert !== undefined);
}

/** What the edge serves HTTPS with; undefined for HTTP. @throws RagmeshError CONFIG.INVALID for files that cannot be used. */
export function serverTls(config: ServerTlsConfig): EdgeTls | undefined {
  const { ca, cert, key } = readTlsFiles(config, 'SERVER') ?? {};
  return cert && key ? { cert, key, ...(ca ? { ca } : {}) } : undefined;
}
