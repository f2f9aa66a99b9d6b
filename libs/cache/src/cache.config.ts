import { duration, int, readTlsFiles, tlsFileVariables, url } from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import type { RedisAddress } from './redis-client.js';

/** What reaches the second level; every service with a cache spreads it into its configuration. */
export const redisVariables = {
  REDIS_URL: url('redis', 'rediss')
    .optional()
    .secret()
    .describe('Redis that keeps cached values between processes; without it they are kept in memory only'),
  REDIS_CACHE_DB: int({ min: 0, max: 1023 }).default(0).describe('Number of the Redis database used for cached values'),
  ...tlsFileVariables('REDIS', 'Redis at a `rediss://` URL'),
};

/** What {@link redisVariables} read. */
export interface RedisConfig {
  readonly REDIS_URL: string | undefined;
  readonly REDIS_CACHE_DB: number;
  readonly REDIS_TLS_CA_FILE?: string | undefined;
  readonly REDIS_TLS_CERT_FILE?: string | undefined;
  readonly REDIS_TLS_KEY_FILE?: string | undefined;
}

/** Where Redis is and how to trust it; undefined where none is configured. @throws RagmeshError CONFIG.INVALID for files that cannot be used. */
export function redisAddress(config: RedisConfig): RedisAddress | undefined {
  const { REDIS_URL: url, REDIS_CACHE_DB: db } = config;
  if (url === undefined) return undefined;
  const tls = readTlsFiles(config, 'REDIS');
  if (tls && !url.startsWith('rediss:'))
    throw new RagmeshError('CONFIG.INVALID', 'REDIS_TLS_*_FILE are set, so REDIS_URL must begin with rediss://');
  return { url, db, ...(tls ? { tls } : {}) };
}

/** How long results are kept and how many of them. */
export const resultCacheVariables = {
  CACHE_TTL_SECONDS: duration({ min: 0 })
    .default('1h')
    .describe('How long a result is kept when nothing it was made from changes; 0 keeps none'),
  CACHE_SIZE: int({ min: 1 }).default(10_000).describe('Results kept in memory'),
};
