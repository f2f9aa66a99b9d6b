import { duration, int, url } from '@ragmesh/config';

/** What reaches the second level; every service with a cache spreads it into its configuration. */
export const redisVariables = {
  REDIS_URL: url('redis', 'rediss')
    .optional()
    .secret()
    .describe('Redis that keeps cached values between processes; without it they are kept in memory only'),
  REDIS_CACHE_DB: int({ min: 0, max: 1023 }).default(0).describe('Number of the Redis database used for cached values'),
};

/** How long results are kept and how many of them. */
export const resultCacheVariables = {
  CACHE_TTL_SECONDS: duration({ min: 0 })
    .default('1h')
    .describe('How long a result is kept when nothing it was made from changes; 0 keeps none'),
  CACHE_SIZE: int({ min: 1 }).default(10_000).describe('Results kept in memory'),
};
