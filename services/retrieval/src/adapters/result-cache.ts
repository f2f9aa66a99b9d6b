import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { Cache, RedisLevel, cacheKey, hashOf, jsonCodec, redisAddress, type Compute } from '@ragmesh/cache';
import type { Logger } from '@ragmesh/observability';
import type { Results } from '../commands/search.js';
import type { SearchQuery } from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { ResponseCache } from './response-cache.js';

const NAMESPACE = 'retrieval';

/** To be raised whenever results are written differently. */
const FORMAT = 'results/3';

/** Results in memory, with their text. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The index commits and announces a change, and shows it a moment later; what was read in between must not be kept. */
const SETTLE_MS = 1_000;

/** Results, and whether they are those of a similar question; such are given, not kept again. */
export interface Kept extends Results {
  readonly similar?: boolean;
}

const nothing = (): Kept => ({ points: [], degraded: [], readAt: Date.now() });

/** What results are made from, by which they are evicted. */
export const madeFrom = {
  document: (tenant: string, id: string): string => cacheKey('document', tenant, id),
  /** Everything that is visible in a collection: what is added may belong into any result. */
  collection: (tenant: string, id: string): string => cacheKey('collection', tenant, id),
  /** Whatever a tenant has; for operators who clear it. */
  tenant: (tenant: string): string => cacheKey('tenant', tenant),
};

/** Results of searches as they were before. That nothing was found is kept too, for a shorter time. */
@Injectable()
export class ResultCache implements OnModuleInit, OnApplicationShutdown {
  readonly #cache: Cache<Kept>;
  #redis: RedisLevel | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: RetrievalConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly responses: ResponseCache,
  ) {
    this.#cache = new Cache<Kept>({
      name: NAMESPACE,
      codec: jsonCodec(FORMAT),
      sizeOf: ({ points }) => points.reduce((sum, { text }) => sum + 500 + 2 * text.length, 0),
      ttlSeconds: config.CACHE_TTL_SECONDS,
      maxEntries: config.CACHE_SIZE,
      maxBytes: MAX_BYTES,
      settleMs: SETTLE_MS,
    });
  }

  async onModuleInit(): Promise<void> {
    const address = redisAddress(this.config);
    if (!address || !this.#cache.isOn) return;
    const { logger } = this;
    const place = { ...address, service: 'retrieval', namespace: NAMESPACE };
    this.#redis = await RedisLevel.open({ ...place, listener: this.#cache, logger });
    this.#cache.useRedis(this.#redis);
  }

  get isOn(): boolean {
    return this.#cache.isOn;
  }

  /**
   * @param search gives what is to be kept; `null` when nothing was found.
   * @param signal ends this caller's wait.
   * @returns whether the results were known before, too.
   */
  async find(key: string, search: Compute<Kept>, signal: AbortSignal): Promise<Results & { readonly cached: boolean }> {
    const { value, from } = await this.#cache.getOrCompute(key, search, signal);
    const { similar = false, ...results } = value ?? nothing();
    return { ...results, cached: similar || from !== 'computed' };
  }

  /** Results that are kept under this key and may be served. Undefined also when what is known is that there are none. */
  async known(key: string): Promise<Results | undefined> {
    return (await this.#cache.known(key))?.value ?? undefined;
  }

  /** Whether this search need not be made. */
  async knows(key: string): Promise<boolean> {
    return (await this.#cache.known(key)) !== undefined;
  }

  /** Results made from any of these are not served from now on, nor answers made from such; see {@link madeFrom}. */
  async evict(tags: readonly string[]): Promise<void> {
    await Promise.all([this.#cache.evict(tags), this.responses.evict(tags)]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#redis?.close();
  }

  /** The key of a search: everything that decides on what is answered. */
  keyOf(tenant: string, { collection, isUnsure: _unsure, ...query }: SearchQuery): string {
    return cacheKey(NAMESPACE, tenant, collection, hashOf({ ...query, ...this.modelsOf(query) }));
  }

  /** The same for all wordings of a question, so that only equal searches share their results. */
  kindOf(tenant: string, { collection, text: _words, ...query }: SearchQuery, model: string): string {
    return cacheKey('similar', tenant, collection, hashOf({ ...query, ...this.modelsOf(query), model }));
  }

  /** Configuration that decides on the results of such a search: kept ones may be of a time before it was changed. */
  modelsOf({ mode, rerank }: Pick<SearchQuery, 'mode' | 'rerank'>): object {
    const { APP_EMBEDDINGS_BACKEND, EMBEDDING_MODEL, APP_RERANK_BACKEND, APP_RERANK_ALPHA, RERANK_MODEL } = this.config;
    return {
      ...(mode === 'lexical' ? {} : { APP_EMBEDDINGS_BACKEND, EMBEDDING_MODEL }),
      ...(rerank ? { APP_RERANK_BACKEND, APP_RERANK_ALPHA } : {}),
      ...(rerank && APP_RERANK_BACKEND === 'cross-encoder' ? { RERANK_MODEL } : {}),
    };
  }
}
