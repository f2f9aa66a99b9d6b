import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { Cache, RedisLevel, cacheKey, hashOf, jsonCodec, redisAddress } from '@ragmesh/cache';
import type { Logger } from '@ragmesh/observability';
import type { AnswerEvent } from '../domain/answer-stream.js';
import type { GenerationConfig } from '../generation.config.js';

const NAMESPACE = 'answer';
/** To be raised whenever answers are written differently. */
const FORMAT = 'answer/3';
const DOCUMENT = 'document';
const MAX_BYTES = 32 * 1024 * 1024;

/** A complete answer as it was given. */
export interface KeptAnswer {
  readonly model: string;
  readonly events: readonly AnswerEvent[];
}

/** Everything an answer was made from. */
export interface AnswerOrigin {
  readonly tenant: string;
  readonly collection: string;
  readonly model: string;
  readonly question: string;
  readonly instructions: string;
  readonly history: readonly unknown[];
  readonly sources: readonly { readonly documentId: string; readonly version: number; readonly text: string }[];
}

/**
 * Complete answers, for the time when every model fails. The key holds the sources themselves: who is not given a document,
 * or is given a newer version of it, asks under another key. So nothing has to be evicted for what readers get; what a deleted
 * document said is, so that it is no longer held.
 */
@Injectable()
export class AnswerCache implements OnModuleInit, OnApplicationShutdown {
  readonly #cache: Cache<KeptAnswer>;
  #redis: RedisLevel | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: GenerationConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#cache = new Cache<KeptAnswer>({
      name: NAMESPACE,
      codec: jsonCodec(FORMAT),
      sizeOf: ({ events }) => events.reduce((sum, event) => sum + 200 + 2 * sizeOf(event), 0),
      ttlSeconds: config.LLM_ANSWER_CACHE_TTL,
      maxEntries: config.CACHE_SIZE,
      maxBytes: MAX_BYTES,
      settleMs: 1_000 * config.LLM_TOTAL_TIMEOUT, // so long an answer may be written that began before
    });
  }

  async onModuleInit(): Promise<void> {
    const address = redisAddress(this.config);
    if (!address || !this.#cache.isOn) return;
    const place = { ...address, service: 'generation', namespace: NAMESPACE, erases: isDocument };
    this.#redis = await RedisLevel.open({ ...place, listener: this.#cache, logger: this.logger });
    this.#cache.useRedis(this.#redis);
  }

  async find(origin: AnswerOrigin): Promise<KeptAnswer | null> {
    const nothing = async (): Promise<{ value: null; storable: false }> => ({ value: null, storable: false });
    return (await this.#cache.getOrCompute(keyOf(origin), nothing)).value;
  }

  /** Keeps a complete answer; the first one given to the same question stays. */
  async keep(origin: AnswerOrigin, answer: KeptAnswer): Promise<void> {
    const { tenant, collection, sources } = origin;
    const documents = new Set(sources.map(({ documentId }) => madeFrom(tenant, documentId)));
    const tags = [keptOf(tenant, ''), keptOf(tenant, collection), ...documents];
    if (this.#cache.isOn) await this.#cache.getOrCompute(keyOf(origin), async () => ({ value: answer, tags }));
  }

  /** Forgets what is kept of a collection of this tenant; with an empty name of all of them. */
  async clear(tenant: string, collection: string): Promise<void> {
    await this.#cache.evict([keptOf(tenant, collection)]);
  }

  /** Forgets what was made from a document, in Redis too, and keeps nothing that is being made from it. */
  async forget(tenant: string, documentId: string): Promise<void> {
    await this.#cache.evict([madeFrom(tenant, documentId)]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#redis?.close();
  }
}

/** The tag of everything that was answered from a collection, or with an empty name to a tenant. */
const keptOf = (tenant: string, collection: string): string => cacheKey('collection', tenant, collection);

const madeFrom = (tenant: string, documentId: string): string => cacheKey(DOCUMENT, tenant, documentId);
const isDocument = (tag: string): boolean => tag.startsWith(`${DOCUMENT}:`);

function keyOf({ tenant, model, question, instructions, history, sources }: AnswerOrigin): string {
  const from = sources.map(({ documentId, version, text }) => [documentId, version, text]);
  return cacheKey(NAMESPACE, tenant, hashOf({ model, question, instructions, history, from }));
}

const sizeOf = (event: AnswerEvent): number => (event.type === 'delta' ? event.text : event.citation.text).length;
