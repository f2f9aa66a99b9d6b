import type { Role } from './roles.js';

/** Whom a credential stands for. */
export interface Principal {
  readonly tenant: string;
  /** `key:<id>` or `jwt:<sub>`: what events, rows and logs name as the one who did it. */
  readonly subject: string;
  readonly roles: readonly Role[];
  /** Groups its identity provider says it is in. */
  readonly groups?: readonly string[];
}

/** Names of tenants. They become parts of keys and paths, so they hold nothing that could mean something there. */
export const tenantPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** The tenant of requests while authentication is off. */
export const DEFAULT_TENANT = 'default';

/** The tenant of requests whose credential was not seen yet: no tenant's name, so nothing can be found under it. */
export const NO_TENANT = '-';
