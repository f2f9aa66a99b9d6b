import { fromJson, toJson, type JsonValue } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { Cache, RedisLevel, jsonCodec, redisAddress, type Codec, type EvictionListener } from '@ragmesh/cache';
import { retrievalV1 } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { SharedStream } from '../domain/shared-stream.js';
import type { RetrievalConfig } from '../retrieval.config.js';

const NAMESPACE = 'api';

/** To be raised whenever answers are written differently. */
const FORMAT = 'api/1';

/** Answers in memory, with the text of their sources. */
const MAX_BYTES = 32 * 1024 * 1024;

/** As for the results of searches: a change is shown a moment after it was announced. */
const SETTLE_MS = 1_000;

/** One event of an answer as it goes to the caller. */
export type Reply = retrievalV1.QueryResponse;
type Replies = readonly Reply[];

/** What an answer that is whole was made from; undefined for one that must not be given to anyone else. */
export type TagsOf = (replies: Replies) => readonly string[] | undefined;

/** Where an answer comes from: known, or under way and shared with whoever else asks for it. */
export type Source = { readonly known: Replies } | { readonly shared: SharedStream<Reply> };

const json = jsonCodec<JsonValue[]>(FORMAT);
const codec: Codec<Replies> = {
  encode: (replies) => json.encode(replies.map((reply) => toJson(retrievalV1.QueryResponseSchema, reply))),
  decode: (bytes) => json.decode(bytes).map((reply) => fromJson(retrievalV1.QueryResponseSchema, reply)),
};

/**
 * Whole answers as the API gave them. Equal questions at the same time become one answer that all of them read as it is
 * written. Nothing is kept of one that was cut, and nothing that was made while its sources changed.
 */
@Injectable()
export class ResponseCache implements OnModuleInit, OnApplicationShutdown, EvictionListener {
  readonly #cache: Cache<Replies>;
  /** Undefined: what was under way is left by everyone and not yet through. */
  readonly #underWay = new Map<string, Promise<Source | undefined>>();
  #redis: RedisLevel | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: RetrievalConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#cache = new Cache<Replies>({
      ...{ name: NAMESPACE, codec, settleMs: SETTLE_MS, maxBytes: MAX_BYTES, maxEntries: config.CACHE_SIZE },
      sizeOf: (replies) => replies.reduce((sum, reply) => sum + sizeOf(reply), 0),
      ttlSeconds: config.CACHE_TTL_SECONDS === 0 ? 0 : config.RESPONSE_CACHE_TTL,
    });
  }

  async onModuleInit(): Promise<void> {
    const address = redisAddress(this.config);
    if (!address || !this.isOn) return;
    const place = { ...address, service: 'retrieval', namespace: NAMESPACE };
    this.#redis = await RedisLevel.open({ ...place, listener: this, logger: this.logger });
    this.#cache.useRedis(this.#redis);
  }

  get isOn(): boolean {
    return this.#cache.isOn;
  }

  /**
   * The answer under this key, or the one that is being written; else begins it.
   * @param answer its signal aborts when nobody waits for it any more.
   * @returns whether this call asked for it first, too.
   */
  async find(
    key: string,
    answer: (abandoned: AbortSignal) => AsyncIterable<Reply>,
    tagsOf: TagsOf,
  ): Promise<{ readonly source: Source; readonly isOwn: boolean }> {
    for (;;) {
      const joined = this.#underWay.get(key);
      const underWay = joined ?? this.#begin(key, answer, tagsOf);
      const source = await underWay;
      if (source && (!('shared' in source) || source.shared.isOpen)) return { source, isOwn: joined === undefined };
      if (this.#underWay.get(key) === underWay) this.#underWay.delete(key);
    }
  }

  /** Whether the next one who asks finds an answer kept. */
  async knows(key: string): Promise<boolean> {
    return (await this.#cache.known(key)) !== undefined;
  }

  /** Whether whoever asks now gets an answer for nothing: it is kept, or being written for another. */
  async isAtHand(key: string): Promise<boolean> {
    return this.#underWay.has(key) || (await this.knows(key));
  }

  /** Answers made from any of these are not given from now on. */
  async evict(tags: readonly string[]): Promise<void> {
    this.#underWay.clear(); // what is being written may have been made from what is gone
    await this.#cache.evict(tags);
  }

  /** An eviction that another process began. */
  evicted(tags: readonly string[]): void {
    this.#underWay.clear();
    this.#cache.evicted(tags);
  }

  allEvicted(): void {
    this.#underWay.clear();
    this.#cache.allEvicted();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#redis?.close();
  }

  #begin(
    key: string,
    answer: (abandoned: AbortSignal) => AsyncIterable<Reply>,
    tagsOf: TagsOf,
  ): Promise<Source | undefined> {
    const begun = Promise.withResolvers<Source | undefined>();
    const compute = async () => {
      const shared = new SharedStream(answer);
      begun.resolve({ shared });
      const replies = await shared.whole;
      const tags = replies && tagsOf(replies);
      return tags ? { value: replies, tags } : { value: null, storable: false };
    };
    const forget = (): void => {
      if (this.#underWay.get(key) === begun.promise) this.#underWay.delete(key);
    };
    this.#cache.getOrCompute(key, compute).then(
      ({ value, from }) => {
        forget();
        begun.resolve(from !== 'computed' && value ? { known: value } : undefined);
      },
      (error: unknown) => {
        forget();
        begun.reject(asRagmeshError(error));
      },
    );
    this.#underWay.set(key, begun.promise);
    return begun.promise;
  }
}

/** About what it takes in memory. */
function sizeOf({ event }: Reply): number {
  if (event.case === 'delta') return 200 + 2 * event.value.length;
  if (event.case !== 'sources') return 1_000;
  return event.value.results.reduce((sum, { source }) => sum + 500 + 2 * source!.text.length, 0);
}
