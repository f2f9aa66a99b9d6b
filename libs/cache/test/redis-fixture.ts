import { afterEach, beforeEach } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { RedisServer } from '@ragmesh/local-servers';
import { FaultProxy, eventually } from '@ragmesh/testing';
import { Cache, RedisLevel, jsonCodec, type Cached } from '../src/index.js';

const NAMESPACE = 'spec';

/** One process with both levels. */
export interface Copy {
  readonly cache: Cache<string>;
  readonly redis: RedisLevel;
  /** Of the fixture: looks into the database behind the process' back. */
  readonly admin: Redis;
}

export const usable = ({ redis }: Copy): Promise<true> => eventually('Redis is usable', () => redis.isUsable);

export const ask = (
  { cache }: Copy,
  key: string,
  value: string | null = 'computed',
  tags = ['doc:1', 'doc:2'],
): Promise<Cached<string>> => cache.getOrCompute(`${NAMESPACE}:${key}`, async () => ({ value, tags }));

/** Computes a value and waits until it is in Redis; once more when Redis was too slow to be asked or told. */
export async function stored(one: Copy, key: string, value: string | null, tags = ['doc:1', 'doc:2']): Promise<void> {
  await eventually(`${key} is in Redis`, async () => {
    await ask(one, key, value, tags);
    await one.redis.settle();
    if ((await one.admin.exists(`${NAMESPACE}:${key}`)) === 1) return true;
    await one.cache.evict(tags);
    return false;
  });
}

/** A real Redis, a line to it that can be broken, and processes that use it; all new for each test. */
export class RedisFixture {
  folder!: string;
  server!: RedisServer;
  proxy!: FaultProxy;
  /** Looks into the database behind the processes' back. */
  admin!: Redis;
  #open: RedisLevel[] = [];

  /** To be called inside a `describe`. */
  static forEachTest(): RedisFixture {
    const fixture = new RedisFixture();
    beforeEach(() => fixture.#start());
    afterEach(() => fixture.#stop());
    return fixture;
  }

  /** @param port the server's own, or the proxy's. */
  async copy(port = this.server.port, erases?: (tag: string) => boolean): Promise<Copy> {
    const cache = new Cache<string>({ name: 'spec', codec: jsonCodec('1'), ttlSeconds: 60, maxEntries: 100 });
    const redis = await RedisLevel.open({
      service: 'spec',
      url: `redis://127.0.0.1:${port}`,
      db: 1,
      namespace: NAMESPACE,
      listener: cache,
      ...(erases && { erases }),
    });
    cache.useRedis(redis);
    this.#open.push(redis);
    return { cache, redis, admin: this.admin };
  }

  /** What a process that was just started gets for a key; it would compute `new`. */
  async fromElsewhere(key: string): Promise<Cached<string>> {
    const other = await this.copy();
    await usable(other);
    return ask(other, key, 'new');
  }

  /** A process that was just started and got these from Redis; after one that Redis was too slow for comes another. */
  reader(...keys: string[]): Promise<Copy> {
    return eventually(`${keys.join()} came from Redis`, async () => {
      const one = await this.copy();
      await usable(one);
      const found = await Promise.all(keys.map((key) => ask(one, key, 'new')));
      return found.every(({ from }) => from === 'redis') && one;
    });
  }

  async #start(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), 'ragmesh-cache-'));
    this.server = await RedisServer.start({ dataDir: this.folder });
    this.proxy = await FaultProxy.start({ target: this.server.port });
    this.admin = new Redis(this.server.port, '127.0.0.1', { db: 1, retryStrategy: () => 20 });
    this.admin.on('error', () => undefined);
  }

  async #stop(): Promise<void> {
    this.admin.disconnect();
    for (const redis of this.#open) await redis.close();
    this.#open = [];
    await this.proxy.close();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}
