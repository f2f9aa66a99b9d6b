import { bool, bytes, defineConfig, duration, file, int, string, timeout, type ConfigOf } from '@ragmesh/config';
import { hasServerCertificate } from './http/server-tls.js';
import { egressVariables } from '@ragmesh/egress';
import { authVariables, canCheckTokens, isJwksProtected, loopback } from './auth/auth.config.js';
import { proxyList } from './auth/trusted-proxies.js';
import { quotaVariables } from './quota/quota.config.js';

/** Everything the gateway reads from its environment. */
export const gatewayConfig = defineConfig({
  SERVER_HOST: string().default('127.0.0.1').describe('Address the HTTP server listens on'),
  SERVER_PORT: int({ min: 0, max: 65_535 }).default(8080).describe('Port of the HTTP server; 0 takes a free one'),
  SERVER_TRUSTED_NETWORK: bool()
    .default(false)
    .describe(
      'Whether only programs you trust reach SERVER_HOST, as in a container network; allows any address without authentication',
    ),
  SERVER_TRUSTED_PROXIES: proxyList()
    .default('')
    .describe(
      'Addresses and ranges of proxies in front of the server; X-Forwarded-For says for them who the caller is, and for nobody else',
    ),
  SERVER_TLS_CERT_FILE: file().optional().describe('Certificate (PEM) to serve HTTPS with; HTTP without it'),
  SERVER_TLS_KEY_FILE: file().optional().describe('Private key (PEM) of that certificate'),
  SERVER_TLS_CA_FILE: file()
    .optional()
    .describe('Certificates (PEM) of authorities; then clients must show a certificate of one of them (mTLS)'),
  DOCUMENT_MAX_BYTES: bytes({ min: 1 }).default('100mb').describe('Largest document; above it DOCUMENT.TOO_LARGE'),
  JSON_DOCUMENT_MAX_BYTES: bytes({ min: 1024 })
    .default('16mb')
    .describe('Largest JSON body that uploads text or chunks; larger documents go as multipart/form-data'),
  MAX_CONCURRENT_REQUESTS: int({ min: 1 }).default(512).describe('Requests worked on at once; above it OVERLOAD.SHED'),
  MAX_OPEN_STREAMS: int({ min: 1 })
    .default(4096)
    .describe('Event streams and long polls open at once; above it OVERLOAD.SHED'),
  SEARCH_LATENCY_TARGET: duration({ min: 0.01, max: 3600 })
    .default('250ms')
    .describe(
      'What a search may take before fewer questions are worked on at once, 32 at the least; above that OVERLOAD.SHED. More is allowed where searches take more while nothing else is done',
    ),
  REQUEST_TIMEOUT_SECONDS: timeout({ min: 1 }).default(60).describe('Time a request may take; then REQUEST.TIMEOUT'),
  STREAM_TIMEOUT_SECONDS: timeout({ min: 1 }).default(300).describe('Time an answer or a file may stream'),
  ...authVariables,
  ...quotaVariables,
  ...egressVariables,
})
  .check(
    'SERVER_HOST must be 127.0.0.1, ::1 or localhost while authentication is off and SERVER_TRUSTED_NETWORK is not set: whoever reached the port could read and delete every document',
    ({ AUTH_MODE, SERVER_HOST, SERVER_TRUSTED_NETWORK }) =>
      AUTH_MODE !== 'off' || SERVER_TRUSTED_NETWORK || loopback.has(SERVER_HOST),
  )
  .check(
    'SERVER_TLS_CERT_FILE and SERVER_TLS_KEY_FILE must be set together, and SERVER_TLS_CA_FILE only with them',
    hasServerCertificate,
  )
  .check('AUTH_MODE with jwt needs AUTH_JWT_JWKS_URL, AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE', canCheckTokens)
  .check('AUTH_JWT_JWKS_URL must begin with https:// unless it is on this machine', isJwksProtected);

export type GatewayConfig = ConfigOf<typeof gatewayConfig>;
