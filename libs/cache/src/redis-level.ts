import { randomUUID } from 'node:crypto';
import type { Logger } from '@ragmesh/observability';
import { circuitBreaker, type CircuitBreaker } from '@ragmesh/resilience';
import { EVERYTHING, EvictionFeed, type EvictionListener } from './eviction-feed.js';
import { COMMAND_TIMEOUT_MS, RedisClient, type RedisAddress } from './redis-client.js';

/** A stamp must outlive every entry that carries it, and the computation before. */
const STAMP_MARGIN_MS = 600_000;

export interface RedisLevelOptions extends RedisAddress {
  /** Whose it is; operators see its breaker there. */
  readonly service: string;
  /** First part of every key. */
  readonly namespace: string;
  /** Hears of evictions by other processes. Without it entries have no tags: what never becomes untrue needs none. */
  readonly listener?: EvictionListener;
  /**
   * Tags whose eviction takes what it makes invalid out of Redis at once. It costs a little with each entry, and without it what
   * is invalid is gone when somebody asks for it or its time is over. Default: none.
   */
  readonly erases?: (tag: string) => boolean;
  readonly logger?: Logger;
}

/** Announcements may be hours apart. ioredis would subscribe again by itself, and its rejection would be nobody's. */
const SUBSCRIBER = { commandTimeout: 1_000, socketTimeout: undefined, autoResubscribe: false };

/** What was found. Hand `clock` to {@link RedisLevel.write} with what is computed from here on. */
export interface RedisRead {
  readonly clock: string;
  readonly values: readonly (Buffer | undefined)[];
}

export interface RedisEntry {
  readonly value: Buffer;
  readonly tags: readonly string[];
  readonly ttlMs: number;
}

/**
 * Second level: values that all processes share. It never fails and never keeps a caller longer than {@link COMMAND_TIMEOUT_MS};
 * while Redis is away, slow or not up to date it has nothing.
 */
export class RedisLevel {
  readonly #writes = new Set<Promise<unknown>>();

  private constructor(
    private readonly base: string,
    private readonly client: RedisClient,
    private readonly feed: EvictionFeed | undefined,
    private readonly breaker: CircuitBreaker,
    private readonly erases: (tag: string) => boolean,
  ) {}

  /** Resolves at once: it connects in the background, now or when Redis comes. */
  static async open(options: RedisLevelOptions): Promise<RedisLevel> {
    const { service, namespace, listener, erases = () => false, logger, ...address } = options;
    const base = `${namespace}#`;
    const client = await RedisClient.load(address, { user: { service, namespace }, ...(logger && { logger }) });
    const subscriber = listener && (await RedisClient.load(address, SUBSCRIBER));
    const feed = subscriber && new EvictionFeed(client, subscriber, base, listener!);
    const limits = { service, timeoutMs: COMMAND_TIMEOUT_MS + 10, resetMs: 1_000 };
    client.start();
    subscriber?.start();
    return new RedisLevel(base, client, feed, circuitBreaker(`redis.${namespace}`, limits), erases);
  }

  /** Whether it can be read at the moment. */
  get isUsable(): boolean {
    return this.client.isReady && this.breaker.state !== 'open' && (this.feed?.inSync ?? true);
  }

  /** For how long evictions by other processes may not have been heard, in ms; 0 when there are none to hear of. */
  get silentForMs(): number {
    return this.feed?.silentForMs ?? 0;
  }

  /** Undefined when Redis cannot be asked. */
  async read(keys: readonly string[]): Promise<RedisRead | undefined> {
    if (!this.client.isReady || this.feed?.inSync === false) return undefined;
    try {
      const args = [this.base, this.feed ? '1' : '0'];
      const answer = await this.breaker.run(() => this.client.run('read', keys, args));
      const [clock, ...values] = answer as [Buffer, ...(Buffer | null)[]];
      return { clock: String(clock), values: keys.map((_key, at) => values[at] ?? undefined) };
    } catch {
      return undefined;
    }
  }

  /** Stores in the background, unless one of the tags was evicted since `clock`. */
  write(key: string, clock: string, { value, tags, ttlMs }: RedisEntry): void {
    if (!this.isUsable) return;
    const ttl = Math.ceil(ttlMs);
    const stamped = this.feed ? [EVERYTHING, ...tags] : [];
    const args = [this.base, clock, String(ttl), String(ttl + STAMP_MARGIN_MS), randomUUID(), value, ...stamped];
    const sets = stamped.filter(this.erases).map((tag) => `${this.base}of:${tag}`);
    const written = this.client.run('write', [key, ...sets], args).catch(() => undefined); // it will be a miss again
    this.#writes.add(written);
    void written.finally(() => this.#writes.delete(written));
  }

  /** Resolves when Redis has it, or soon; what it could not be told now it is told before it is read again. */
  async evict(tags: readonly string[]): Promise<void> {
    await this.feed?.evict(tags);
  }

  /** Makes every entry of the namespace invalid. */
  clear(): Promise<void> {
    return this.evict([EVERYTHING]);
  }

  /** Resolves when it is up to date with Redis, if Redis is there; for start-up and tests. */
  async settle(): Promise<void> {
    await this.feed?.pulse();
    await Promise.all(this.#writes);
  }

  async close(): Promise<void> {
    await Promise.all(this.#writes);
    await this.feed?.close();
    this.breaker.shutdown();
    this.client.close();
  }
}
