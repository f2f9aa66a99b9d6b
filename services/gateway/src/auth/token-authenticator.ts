import { tenantPattern } from '@ragmesh/contracts';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { circuitBreaker } from '@ragmesh/resilience';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type FetchImplementation,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { AuthConfig } from './auth.config.js';
import type { Principal } from './principal.js';
import { rolesAmong } from './roles.js';

/**
 * Signatures that are taken, whatever a token or a key set says. All are asymmetric: with HS256 in the list, a token "signed"
 * with the public key as its secret would pass.
 */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
const JWKS_TIMEOUT_MS = 5_000;
/** Least time between two fetches: tokens with made-up key ids must not become requests to the identity provider. */
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_MAX_AGE_MS = 600_000;
/**
 * All who wait for keys share one fetch, so few are made: two in a row that fail are enough, and the window is longer than
 * two that time out. Soon tried again, because meanwhile nobody is let in whose key is not known yet.
 */
const JWKS_BREAKER = { timeoutMs: Infinity, minimumCalls: 2, windowMs: 30_000, resetMs: 1_000 };
const MAX_SUBJECT_LENGTH = 200;

/** Checks tokens of an identity provider (RFC 7519) against its published keys. */
export class TokenAuthenticator {
  readonly #keys: JWTVerifyGetKey;
  /** Of fetches only: keys that are here are used whatever its state. */
  readonly #breaker = circuitBreaker('identity-provider', { service: 'gateway', ...JWKS_BREAKER });

  constructor(private readonly config: AuthConfig) {
    this.#keys = saysWhenAway(
      createRemoteJWKSet(new URL(config.AUTH_JWT_JWKS_URL!), {
        timeoutDuration: JWKS_TIMEOUT_MS,
        cooldownDuration: JWKS_COOLDOWN_MS,
        cacheMaxAge: JWKS_MAX_AGE_MS,
        [customFetch]: (url, options) => this.#breaker.run(() => fetchKeys(url, options)),
      }),
    );
  }

  /**
   * Whom the token stands for; undefined when it does not hold, or names no tenant.
   * @throws RagmeshError DEPENDENCY.UNAVAILABLE when the identity provider's keys cannot be had.
   */
  async verify(token: string): Promise<Principal | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#keys, {
        algorithms: ALGORITHMS,
        issuer: this.config.AUTH_JWT_ISSUER!,
        audience: this.config.AUTH_JWT_AUDIENCE!,
        clockTolerance: this.config.AUTH_JWT_LEEWAY_SECONDS,
        requiredClaims: ['exp', 'sub'],
      });
      return this.#principalOf(payload);
    } catch (error) {
      if (isRagmeshError(error)) throw error;
      return undefined; // why it does not hold is of use to an attacker only
    }
  }

  close(): void {
    this.#breaker.shutdown();
  }

  #principalOf(payload: JWTPayload): Principal | undefined {
    const tenant = claim(payload, this.config.AUTH_JWT_TENANT_CLAIM);
    const listed = claim(payload, this.config.AUTH_JWT_ROLES_CLAIM);
    const { sub } = payload;
    if (typeof tenant !== 'string' || !tenantPattern.test(tenant)) return undefined;
    if (typeof sub !== 'string' || sub.length > MAX_SUBJECT_LENGTH) return undefined;
    const words = typeof listed === 'string' ? listed.split(' ') : Array.isArray(listed) ? listed.map(String) : [];
    const named = claim(payload, this.config.AUTH_JWT_GROUPS_CLAIM);
    const groups = Array.isArray(named) ? named.filter((name) => typeof name === 'string') : [];
    // gRPC metadata takes printable ASCII only; a subject may be any text.
    return { tenant, subject: `jwt:${encodeURIComponent(sub.toWellFormed())}`, roles: rolesAmong(words), groups };
  }
}

/** `realm_access.roles` leads into objects, unless a claim has just that name. */
function claim(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      payload,
    );
}

/** Throws for an answer without keys, so that it counts against the provider. */
const fetchKeys: FetchImplementation = async (url, options) => {
  const response = await fetch(url, options);
  if (response.status === 200) return response;
  await response.body?.cancel();
  throw new Error(`The identity provider answered ${response.status}.`);
};

/** Tells a key set that cannot be had from a token that names a key which is not in it. */
const saysWhenAway =
  (keys: JWTVerifyGetKey): JWTVerifyGetKey =>
  async (header, token) => {
    try {
      return await keys(header, token);
    } catch (error) {
      if (error instanceof errors.JOSEError && !aboutKeySet.has(error.code)) throw error;
      const detail = "The identity provider's keys cannot be had; see AUTH_JWT_JWKS_URL.";
      throw new RagmeshError('DEPENDENCY.UNAVAILABLE', detail, { service: 'identity-provider' }, { cause: error });
    }
  };

const aboutKeySet: ReadonlySet<string> = new Set(['ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID', 'ERR_JOSE_GENERIC']);
