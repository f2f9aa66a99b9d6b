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

/** The tenant of requests whose credential was not seen yet: no tenant's name, so nothing can be found under it. */
export const NO_TENANT = '-';
