import { LRUCache } from 'lru-cache';
import { EvictionLog, type Mark } from './eviction-log.js';

export interface MemoryLimits {
  readonly maxEntries: number;
  /** Of all values together; without it only entries are counted. */
  readonly maxBytes?: number;
  /**
   * How long after an eviction what is computed is not kept, in ms: for a source that may show its change a moment after it
   * announced it. Default 0.
   */
  readonly settleMs?: number;
}

/** A value with what it was made from; `null` says that there is nothing, and that this is known. */
export interface Entry<T> {
  readonly value: T | null;
  readonly tags: readonly string[];
}

interface Stored<T> extends Entry<T> {
  readonly storedAt: number;
}

/** First level: the values this process used last, with an index from tag to key, so that an eviction finds exactly its own. */
export class MemoryLevel<T> {
  readonly #log: EvictionLog;
  readonly #keysByTag = new Map<string, Set<string>>();
  readonly #entries: LRUCache<string, Stored<T>>;

  constructor({ maxEntries, maxBytes, settleMs = 0 }: MemoryLimits) {
    this.#log = new EvictionLog(settleMs);
    this.#entries = new LRUCache<string, Stored<T>>({
      max: maxEntries,
      ...(maxBytes === undefined ? {} : { maxSize: maxBytes }),
      dispose: ({ tags }, key) => this.#forget(key, tags),
    });
  }

  /** To take before a computation begins; see {@link accepts}. */
  get mark(): Mark {
    return this.#log.mark;
  }

  /** Whether what was computed since the mark from what these tags name may be kept. */
  accepts(mark: Mark, tags: readonly string[]): boolean {
    return !this.#log.evictedSince(mark, tags);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @param maxAgeMs older entries are passed over. */
  get(key: string, maxAgeMs = Infinity): Entry<T> | undefined {
    const entry = this.#entries.get(key);
    return entry && performance.now() - entry.storedAt <= maxAgeMs ? entry : undefined;
  }

  /** @param bytes what it counts for. */
  set(key: string, { value, tags }: Entry<T>, options: { ttlMs: number; bytes: number }): void {
    const size = this.#entries.maxSize > 0 ? { size: Math.max(1, options.bytes) } : {};
    this.#entries.set(key, { value, tags, storedAt: performance.now() }, { ttl: Math.max(1, options.ttlMs), ...size });
    if (!this.#entries.has(key)) return; // larger than everything that may be kept
    for (const tag of tags) {
      const keys = this.#keysByTag.get(tag);
      if (keys) keys.add(key);
      else this.#keysByTag.set(tag, new Set([key]));
    }
  }

  evict(tags: readonly string[]): void {
    this.#log.note(tags);
    for (const tag of tags) for (const key of [...(this.#keysByTag.get(tag) ?? [])]) this.#entries.delete(key);
  }

  clear(): void {
    this.#log.noteAll();
    this.#entries.clear();
  }

  #forget(key: string, tags: readonly string[]): void {
    for (const tag of tags) {
      const keys = this.#keysByTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) this.#keysByTag.delete(tag);
    }
  }
}
