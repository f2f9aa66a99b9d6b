export { Cache, type Cached, type CacheOptions, type Compute, type Computed, type ComputeMany } from './cache.js';
export { redisAddress, redisVariables, resultCacheVariables, type RedisConfig } from './cache.config.js';
export { cacheKey, hashOf } from './cache-key.js';
export { float32Codec, jsonCodec, type Codec } from './codec.js';
export type { EvictionListener } from './eviction-feed.js';
export { RedisLevel, type RedisEntry, type RedisLevelOptions, type RedisRead } from './redis-level.js';
export type { RedisAddress } from './redis-client.js';
export { RateCounters, type Count, type RateCountersOptions } from './rate-counters.js';
