import { counter } from '@ragmesh/observability';
import { decodeEntry, encodeEntry, type Codec } from './codec.js';
import { MemoryLevel, type Entry, type MemoryLimits } from './memory-level.js';
import type { RedisLevel } from './redis-level.js';
import { SingleFlight } from './single-flight.js';

/** Share by which a time to live is shortened at random, so that what was stored together does not expire together. */
const TTL_JITTER = 0.1;

/** Longest time an entry is used when evictions by other processes may have been missed. */
const MAX_STALE_MS = 5_000;

export interface CacheOptions<T> extends MemoryLimits {
  /** Label of its metrics. */
  readonly name: string;
  readonly codec: Codec<T>;
  /** What a value counts for towards `maxBytes`, when that is set. */
  readonly sizeOf?: (value: T) => number;
  /** 0 keeps nothing: every call computes. */
  readonly ttlSeconds: number;
  /** Of the knowledge that there is nothing; at most `ttlSeconds`. Default 30. */
  readonly negativeTtlSeconds?: number;
}

/** What a computation gives. */
export interface Computed<T> {
  /** `null` says that there is nothing, which is kept for a shorter time. */
  readonly value: T | null;
  /** What it was made from: evicting one of these removes it. */
  readonly tags?: readonly string[];
  /** False for what must not be given to anyone else, for instance a degraded result. Default true. */
  readonly storable?: boolean;
}

export type Compute<T> = (key: string, signal: AbortSignal) => Promise<Computed<T>>;
export type ComputeMany<T> = (
  keys: readonly string[],
  signal: AbortSignal,
) => Promise<ReadonlyMap<string, Computed<T>>>;

export interface Cached<T> {
  readonly value: T | null;
  readonly from: 'memory' | 'redis' | 'computed';
}

/**
 * Values by key, in memory and, when there is one, in Redis. Equal work happens once at a time. A value is served only while
 * nothing it was made from was evicted; a failing Redis costs time of at most one short wait and never an error.
 */
export class Cache<T> {
  readonly #memory: MemoryLevel<T>;
  readonly #flights = new SingleFlight<Cached<T>>();
  #redis: RedisLevel | undefined;

  constructor(private readonly options: CacheOptions<T>) {
    this.#memory = new MemoryLevel(options);
  }

  /** Puts a second level behind it. */
  useRedis(redis: RedisLevel): void {
    this.#redis = redis;
  }

  get isOn(): boolean {
    return this.options.ttlSeconds > 0;
  }

  /**
   * The value of a key, computed unless it is known. A failure is not kept.
   * @param signal ends this caller's wait; the computation ends with the last who waits for it.
   * @throws RagmeshError REQUEST.CANCELLED; what `compute` throws.
   */
  async getOrCompute(key: string, compute: Compute<T>, signal?: AbortSignal): Promise<Cached<T>> {
    const one: ComputeMany<T> = async (_keys, abandoned) => new Map([[key, await compute(key, abandoned)]]);
    return (await this.getOrComputeMany([key], one, signal)).get(key)!;
  }

  /** The same for many keys: what is missing is computed in one call. */
  async getOrComputeMany(
    keys: readonly string[],
    compute: ComputeMany<T>,
    signal?: AbortSignal,
  ): Promise<Map<string, Cached<T>>> {
    if (!this.isOn) return this.#compute(keys, compute, signal);
    const found = new Map<string, Cached<T>>();
    for (const key of keys) {
      const entry = this.#remembered(key);
      if (entry) found.set(key, { value: entry.value, from: 'memory' });
    }
    const missing = keys.filter((key) => !found.has(key));
    this.#count('memory', keys.length - missing.length, missing.length);
    if (missing.length === 0) return found;
    const filled = await this.#flights.run(missing, (own, abandoned) => this.#fill(own, compute, abandoned), signal);
    for (const key of missing) found.set(key, filled.get(key)!);
    return found;
  }

  /** What is known of a key, without computing it. Undefined when nothing is; `value: null` when that there is nothing is. */
  async known(key: string): Promise<Cached<T> | undefined> {
    const entry = this.#remembered(key);
    if (entry) return { value: entry.value, from: 'memory' };
    const { mark } = this.#memory;
    const stored = (await this.#redis?.read([key]))?.values[0];
    const read = stored && this.#unpack(stored);
    if (!read) return undefined;
    if (this.#memory.accepts(mark, read.tags)) this.#keep(key, read);
    return { value: read.value, from: 'redis' };
  }

  /** Removes every entry made from one of these, here, in Redis and in the memory of other processes. */
  async evict(tags: readonly string[]): Promise<void> {
    this.evicted(tags);
    await this.#redis?.evict(tags);
  }

  /** Forgets everything, everywhere. Entries without tags stay in Redis: what they say is true for ever. */
  async clear(): Promise<void> {
    this.allEvicted();
    await this.#redis?.clear();
  }

  /** An eviction that another process began. */
  evicted(tags: readonly string[]): void {
    this.#flights.detach(); // what runs may have been made from what is gone
    this.#memory.evict(tags);
  }

  /** Any entry may have been evicted by another process. */
  allEvicted(): void {
    this.#flights.detach();
    this.#memory.clear();
  }

  #remembered(key: string): Entry<T> | undefined {
    const informed = this.#redis === undefined || this.#redis.silentForMs <= MAX_STALE_MS;
    return this.#memory.get(key, informed ? Infinity : MAX_STALE_MS);
  }

  async #fill(keys: readonly string[], compute: ComputeMany<T>, signal: AbortSignal): Promise<Map<string, Cached<T>>> {
    const { mark } = this.#memory;
    const found = new Map<string, Cached<T>>();
    const read = await this.#redis?.read(keys);
    keys.forEach((key, at) => {
      const stored = read?.values[at];
      const entry = stored && this.#unpack(stored);
      if (!entry) return;
      found.set(key, { value: entry.value, from: 'redis' });
      if (this.#memory.accepts(mark, entry.tags)) this.#keep(key, entry);
    });
    const missing = keys.filter((key) => !found.has(key));
    if (read) this.#count('redis', found.size, missing.length);
    if (missing.length === 0) return found;
    for (const [key, { value, tags = [], storable = true }] of await compute(missing, signal)) {
      found.set(key, { value, from: 'computed' });
      if (!storable || !this.#memory.accepts(mark, tags)) continue;
      this.#keep(key, { value, tags });
      if (!read || !this.#redis) continue;
      this.#redis.write(key, read.clock, { value: this.#pack({ value, tags }), tags, ttlMs: this.#ttlMs(value) });
    }
    return found;
  }

  async #compute(
    keys: readonly string[],
    compute: ComputeMany<T>,
    signal?: AbortSignal,
  ): Promise<Map<string, Cached<T>>> {
    const computed = await compute(keys, signal ?? new AbortController().signal);
    return new Map([...computed].map(([key, { value }]) => [key, { value, from: 'computed' }]));
  }

  #keep(key: string, entry: Entry<T>): void {
    const bytes = entry.value === null ? 0 : (this.options.sizeOf?.(entry.value) ?? 0);
    this.#memory.set(key, entry, { bytes, ttlMs: this.#ttlMs(entry.value) });
  }

  #ttlMs(value: T | null): number {
    const { ttlSeconds, negativeTtlSeconds = 30 } = this.options;
    const seconds = value === null ? Math.min(negativeTtlSeconds, ttlSeconds) : ttlSeconds;
    return seconds * 1000 * (1 - Math.random() * TTL_JITTER);
  }

  /** The tags travel with the value, so that what came from Redis is evicted from memory as exactly. */
  #pack({ value, tags }: Entry<T>): Buffer {
    const names = Buffer.from(JSON.stringify(tags), 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(names.length);
    return Buffer.concat([length, names, encodeEntry(this.options.codec, value)]);
  }

  #unpack(stored: Buffer): Entry<T> | undefined {
    if (stored.length < 5) return undefined;
    const end = 4 + stored.readUInt32LE();
    const entry = decodeEntry(this.options.codec, stored.subarray(end));
    try {
      return entry && { ...entry, tags: JSON.parse(stored.subarray(4, end).toString('utf8')) as string[] };
    } catch {
      return undefined;
    }
  }

  #count(level: 'memory' | 'redis', hits: number, misses: number): void {
    const cache = `${this.options.name}.${level}`;
    if (hits > 0) counter('rag_cache_hits_total').inc({ cache }, hits);
    if (misses > 0) counter('rag_cache_misses_total').inc({ cache }, misses);
  }
}
