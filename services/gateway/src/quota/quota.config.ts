import { redisVariables, type RedisConfig } from '@ragmesh/cache';
import { int } from '@ragmesh/config';

/** What tenants and callers may use, unless an administrator sets it otherwise for one of them. 0 is no limit. */
export const quotaVariables = {
  QUOTA_TENANT_REQUESTS_PER_MINUTE: int({ min: 0 })
    .default(0)
    .describe('Requests of a tenant in a minute; above it QUOTA.REQUESTS_EXCEEDED; 0 sets no limit'),
  QUOTA_TENANT_TOKENS_PER_DAY: int({ min: 0 })
    .default(0)
    .describe(
      'Tokens that models read and write for a tenant in a day; above it QUOTA.TOKENS_EXCEEDED; 0 sets no limit',
    ),
  QUOTA_KEY_REQUESTS_PER_MINUTE: int({ min: 0 })
    .default(0)
    .describe('Requests of one API key, or one subject of tokens, in a minute; 0 sets no limit'),
  QUOTA_KEY_TOKENS_PER_DAY: int({ min: 0 })
    .default(0)
    .describe('Tokens of one API key, or one subject of tokens, in a day; 0 sets no limit'),
  ...redisVariables,
  REDIS_URL: redisVariables.REDIS_URL.describe(
    'Redis in which all gateways count quotas together; without it, and while it is away, each counts for itself',
  ),
} as const;

export interface QuotaConfig extends RedisConfig {
  readonly QUOTA_TENANT_REQUESTS_PER_MINUTE: number;
  readonly QUOTA_TENANT_TOKENS_PER_DAY: number;
  readonly QUOTA_KEY_REQUESTS_PER_MINUTE: number;
  readonly QUOTA_KEY_TOKENS_PER_DAY: number;
}
