import type { QuotaConfig } from './quota.config.js';

/** Whom a quota is for: a tenant as a whole, or one of its callers. */
export type Scope = 'tenant' | 'key';
export type Unit = 'requests' | 'tokens';

/** Seconds in which a quota is used up and given anew. */
export const windowSeconds: Readonly<Record<Unit, number>> = { requests: 60, tokens: 86_400 };

/** What may be used in a window; 0 is no limit. */
export type Limits = Readonly<Record<Unit, number>>;

/** What an administrator set; null leaves it to the configuration. */
export type Override = Readonly<Record<Unit, number | null>>;

/** What the configuration says. */
export const defaultLimits = (config: QuotaConfig): Readonly<Record<Scope, Limits>> => ({
  tenant: { requests: config.QUOTA_TENANT_REQUESTS_PER_MINUTE, tokens: config.QUOTA_TENANT_TOKENS_PER_DAY },
  key: { requests: config.QUOTA_KEY_REQUESTS_PER_MINUTE, tokens: config.QUOTA_KEY_TOKENS_PER_DAY },
});

/** What holds: the override where there is one. */
export const effectiveLimits = (defaults: Limits, override: Override | undefined): Limits => ({
  requests: override?.requests ?? defaults.requests,
  tokens: override?.tokens ?? defaults.tokens,
});
