import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { Cache, RedisLevel, float32Codec, redisAddress } from '@ragmesh/cache';
import type { Logger } from '@ragmesh/observability';
import type { EmbedPriority } from '../domain/embedder.js';
import type { EmbeddingConfig } from '../embedding.config.js';

/** First part of every key. */
export const NAMESPACE = 'embed';

/**
 * Vectors of texts that were embedded before. Questions and chunks do not push each other out of memory; in Redis they are
 * one. A text's vector never becomes untrue, so nothing is ever evicted.
 */
@Injectable()
export class VectorCache implements OnModuleInit, OnApplicationShutdown {
  readonly #caches: Readonly<Record<EmbedPriority, Cache<Float32Array>>>;
  #redis: RedisLevel | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const open = (ttlSeconds: number, maxEntries: number): Cache<Float32Array> =>
      new Cache({ name: 'embedding', codec: float32Codec, ttlSeconds, maxEntries });
    this.#caches = {
      query: open(config.EMBEDDING_QUERY_CACHE_TTL, config.EMBEDDING_QUERY_CACHE_SIZE),
      batch: open(config.EMBEDDING_CACHE_TTL, config.EMBEDDING_CACHE_SIZE),
    };
  }

  async onModuleInit(): Promise<void> {
    const address = redisAddress(this.config);
    if (!address) return;
    const place = { ...address, service: 'embedding', namespace: NAMESPACE };
    this.#redis = await RedisLevel.open({ ...place, logger: this.logger });
    for (const cache of Object.values(this.#caches)) cache.useRedis(this.#redis);
  }

  for(priority: EmbedPriority): Cache<Float32Array> {
    return this.#caches[priority];
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#redis?.close();
  }
}
