export { Cache, type Cached, type CacheOptions, type Compute, type Computed, type ComputeMany } from './cache.js';
export { redisVariables, resultCacheVariables } from './cache.config.js';
export { cacheKey, hashOf } from './cache-key.js';
export { float32Codec, jsonCodec, type Codec } from './codec.js';
export type { EvictionListener } from './eviction-feed.js';
export { RedisLevel, type RedisEntry, type RedisLevelOptions, type RedisRead } from './redis-level.js';
