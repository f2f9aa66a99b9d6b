import { duration, int, oneOf, string, url } from '@ragmesh/config';
import { keyPattern } from './credential.js';
import { DEFAULT_TENANT, tenantPattern } from '@ragmesh/contracts';

const keyForm =
  'rgm_<id>_<at least 43 characters of A-Z, a-z, 0-9, _ and ->, such as rgm_first_$(openssl rand -hex 32)';

/** Who may call: what the edge reads from its environment about it. */
export const authVariables = {
  AUTH_MODE: oneOf('off', 'keys', 'jwt', 'keys+jwt')
    .default('off')
    .describe('Which credentials are asked for: none, API keys, tokens (JWT) of your identity provider, or either'),
  RAGMESH_BOOTSTRAP_KEY: string({ matches: keyPattern, expected: keyForm })
    .secret()
    .optional()
    .describe(`An API key with every role, to make the first keys with: ${keyForm}`),
  RAGMESH_BOOTSTRAP_TENANT: string({ matches: tenantPattern, expected: 'letters, digits, _ and -, at most 64' })
    .default(DEFAULT_TENANT)
    .describe('Tenant of the bootstrap key'),
  AUTH_KEY_CACHE_SECONDS: duration({ min: 0, max: 5 })
    .default(5)
    .describe(
      'How long an API key or a token is taken without asking again, and so how long it lives on after it was revoked or its user was removed',
    ),
  AUTH_FAILED_ATTEMPTS: int({ min: 1 })
    .default(20)
    .describe(
      'Refused credentials per minute and source address, and per minute and key; above it AUTH.TOO_MANY_ATTEMPTS',
    ),
  AUTH_JWT_JWKS_URL: url('https', 'http')
    .optional()
    .describe('Where the identity provider publishes its public keys; http on this machine only'),
  AUTH_JWT_ISSUER: string().optional().describe('The `iss` tokens must have'),
  AUTH_JWT_AUDIENCE: string().optional().describe('The `aud` tokens must have'),
  AUTH_JWT_LEEWAY_SECONDS: duration({ min: 0, max: 300 })
    .default(30)
    .describe('How far the clock of the identity provider may be off'),
  AUTH_JWT_TENANT_CLAIM: string().default('tenant').describe('Claim that names the tenant; dots lead into objects'),
  AUTH_JWT_ROLES_CLAIM: string()
    .default('roles')
    .describe('Claim that lists the roles, or holds them with spaces between; dots lead into objects'),
  AUTH_JWT_GROUPS_CLAIM: string()
    .default('groups')
    .describe('Claim that lists the groups access lists may name; dots lead into objects'),
} as const;

export interface AuthConfig {
  readonly AUTH_MODE: 'off' | 'keys' | 'jwt' | 'keys+jwt';
  readonly RAGMESH_BOOTSTRAP_KEY: string | undefined;
  readonly RAGMESH_BOOTSTRAP_TENANT: string;
  readonly AUTH_KEY_CACHE_SECONDS: number;
  readonly AUTH_FAILED_ATTEMPTS: number;
  readonly AUTH_JWT_JWKS_URL: string | undefined;
  readonly AUTH_JWT_ISSUER: string | undefined;
  readonly AUTH_JWT_AUDIENCE: string | undefined;
  readonly AUTH_JWT_LEEWAY_SECONDS: number;
  readonly AUTH_JWT_TENANT_CLAIM: string;
  readonly AUTH_JWT_ROLES_CLAIM: string;
  readonly AUTH_JWT_GROUPS_CLAIM: string;
}

/** Addresses that only programs of this machine reach. */
export const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost']);

export const takesTokens = ({ AUTH_MODE }: Pick<AuthConfig, 'AUTH_MODE'>): boolean => AUTH_MODE.includes('jwt');
export const takesKeys = ({ AUTH_MODE }: Pick<AuthConfig, 'AUTH_MODE'>): boolean => AUTH_MODE.includes('keys');

/** Whether everything tokens are checked against is there. */
export const canCheckTokens = (config: AuthConfig): boolean =>
  !takesTokens(config) ||
  [config.AUTH_JWT_JWKS_URL, config.AUTH_JWT_ISSUER, config.AUTH_JWT_AUDIENCE].every((value) => value !== undefined);

/** Public keys that came unprotected over a network could be anybody's. */
export const isJwksProtected = ({ AUTH_JWT_JWKS_URL: address }: AuthConfig): boolean =>
  address === undefined ||
  address.startsWith('https:') ||
  loopback.has(new URL(address).hostname.replace(/^\[|\]$/g, ''));
