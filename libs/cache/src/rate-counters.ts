import type { Logger } from '@ragmesh/observability';
import { circuitBreaker, type CircuitBreaker } from '@ragmesh/resilience';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
import { COMMAND_TIMEOUT_MS, RedisClient, type RedisAddress } from './redis-client.js';

/** The limiters only count here; what is too many is the caller's to say, and may differ from key to key. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const MAX_REMEMBERED = 10_000;

export interface RateCountersOptions {
  /** Whose they are; operators see the breaker of Redis there. */
  readonly service: string;
  /** First part of every key. */
  readonly namespace: string;
  /** Redis that all processes count in; without it each counts for itself. */
  readonly redis?: RedisAddress;
  readonly logger?: Logger;
  /** Told when counting moves to this process alone, because Redis is away, and when it moves back. */
  readonly onLocal?: (isLocal: boolean) => void;
}

/** How much of a window is used, and in how many milliseconds it ends. */
export interface Count {
  readonly used: number;
  readonly resetMs: number;
}

interface Window {
  readonly local: RateLimiterMemory;
  readonly shared: RateLimiterRedis | undefined;
}

/**
 * Counts what happened under a key in fixed windows, each of which begins with the first count. It never fails and never
 * keeps a caller longer than a command of Redis may take: while Redis is away, each process goes on from what it knew.
 */
export class RateCounters {
  readonly #windows = new Map<number, Window>();
  /** What Redis said last, to go on from when it leaves. */
  readonly #known = new Map<string, { readonly used: number; readonly endsAt: number }>();
  #isLocal = false;

  private constructor(
    private readonly options: RateCountersOptions,
    private readonly client: RedisClient | undefined,
    private readonly breaker: CircuitBreaker | undefined,
  ) {}

  /** Resolves at once: it connects in the background, now or when Redis comes. */
  static async open(options: RateCountersOptions): Promise<RateCounters> {
    const { service, namespace, redis } = options;
    if (!redis) return new RateCounters(options, undefined, undefined);
    const client = await RedisClient.load(redis, { user: { service, namespace } });
    client.start();
    const limits = { service, timeoutMs: COMMAND_TIMEOUT_MS + 10, resetMs: 1_000 };
    return new RateCounters(options, client, circuitBreaker(`redis.${namespace}`, limits));
  }

  /** Whether Redis is configured and this process counts for itself all the same. */
  get isLocal(): boolean {
    return this.#isLocal;
  }

  /** Resolves when Redis has connected; for start-up and tests. @returns whether it did within that time. */
  async settle(withinMs: number): Promise<boolean> {
    for (const end = performance.now() + withinMs; this.client && !this.client.isReady;) {
      if (performance.now() > end) return false;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.client !== undefined;
  }

  /** Counts `points` more, a whole number. */
  async add(key: string, windowSeconds: number, points: number): Promise<Count> {
    const { shared, local } = this.#window(windowSeconds);
    const counted = shared && (await this.#askRedis(() => shared.penalty(key, points)));
    if (counted) return this.#remember(key, windowSeconds, counted);
    await this.#takeOver(key, windowSeconds, local);
    return toCount(await local.penalty(key, points));
  }

  /** What was counted so far. */
  async peek(key: string, windowSeconds: number): Promise<Count> {
    const { shared, local } = this.#window(windowSeconds);
    const found = shared && (await this.#askRedis(async () => ({ is: await shared.get(key) })));
    if (found?.is) return this.#remember(key, windowSeconds, found.is);
    if (!found) await this.#takeOver(key, windowSeconds, local);
    const own = found ? null : await local.get(key);
    return own ? toCount(own) : { used: 0, resetMs: windowSeconds * 1_000 };
  }

  /** Has this process go on from what was counted before it began, in a window that has not ended. */
  async resume(key: string, windowSeconds: number, { used, resetMs }: Count): Promise<void> {
    // Without time left it would be counted for ever.
    if (resetMs > 0) await this.#window(windowSeconds).local.set(key, used, resetMs / 1_000);
  }

  close(): void {
    this.breaker?.shutdown();
    this.client?.close();
  }

  #window(seconds: number): Window {
    const known = this.#windows.get(seconds);
    if (known) return known;
    const options = { points: NO_LIMIT, duration: seconds, keyPrefix: `${this.options.namespace}:${seconds}` };
    const storeClient = this.client?.connection;
    const made: Window = {
      local: new RateLimiterMemory(options),
      shared: storeClient && new RateLimiterRedis({ ...options, storeClient, rejectIfRedisNotReady: true }),
    };
    this.#windows.set(seconds, made);
    return made;
  }

  /** Undefined when Redis gives no answer. */
  async #askRedis<T>(question: () => Promise<T>): Promise<T | undefined> {
    const isThere = this.client!.isReady;
    const answer = isThere ? await this.breaker!.run(question).catch(() => undefined) : undefined;
    this.#note(answer === undefined);
    return answer;
  }

  #note(isLocal: boolean): void {
    if (isLocal === this.#isLocal) return;
    this.#isLocal = isLocal;
    const { namespace, logger, onLocal } = this.options;
    if (isLocal) logger?.warn({ namespace }, 'Redis cannot be reached; this process counts for itself meanwhile');
    else logger?.info({ namespace }, 'Redis is back; all processes count together again');
    onLocal?.(isLocal);
  }

  #remember(key: string, windowSeconds: number, counted: RateLimiterRes): Count {
    const count = toCount(counted);
    const name = `${windowSeconds}:${key}`;
    this.#known.delete(name);
    this.#known.set(name, { used: count.used, endsAt: performance.now() + count.resetMs });
    if (this.#known.size > MAX_REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    return count;
  }

  /** Goes on from what Redis said last, so that nobody gets a window anew because Redis left. */
  async #takeOver(key: string, windowSeconds: number, local: RateLimiterMemory): Promise<void> {
    const name = `${windowSeconds}:${key}`;
    const known = this.#known.get(name);
    if (!known) return;
    this.#known.delete(name);
    const seconds = (known.endsAt - performance.now()) / 1_000;
    if (seconds > 0) await local.set(key, known.used, seconds);
  }
}

const toCount = ({ consumedPoints, msBeforeNext }: RateLimiterRes): Count => ({
  used: consumedPoints,
  resetMs: Math.max(0, msBeforeNext),
});
