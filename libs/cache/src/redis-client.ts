import type { Redis, RedisOptions } from 'ioredis';
import type { TlsMaterial } from '@ragmesh/config';
import { gauge, type Logger } from '@ragmesh/observability';
import { redisScripts, type ScriptName } from './redis-scripts.js';

/** Longest wait for one answer of Redis: a cache that is slower than this is of no use. */
export const COMMAND_TIMEOUT_MS = 40;

/** A connection that answers nothing for so long is given up and made anew. */
const SILENCE_MS = 2_000;
const LONGEST_PAUSE_MS = 1_000;

export interface RedisAddress {
  readonly url: string;
  readonly db: number;
  /** Authorities that a `rediss://` server is trusted by, and what is shown to it where it asks. */
  readonly tls?: TlsMaterial;
}

/** Whom operators are told of while it is away: `ragmesh_redis_away`. */
export interface RedisUser {
  readonly service: string;
  readonly namespace: string;
}

const options: RedisOptions = {
  // ioredis would by default queue commands while it is not connected and try each twenty times: the caller would stand still.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: SILENCE_MS,
  socketTimeout: SILENCE_MS,
  retryStrategy: (times) => Math.min(LONGEST_PAUSE_MS, 25 * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
};

/** One connection that goes on trying in the background, refuses commands while it is away, and runs the scripts. */
export class RedisClient {
  #reported = false;
  #isClosed = false;

  private constructor(
    readonly connection: Redis,
    private readonly logger: Logger | undefined,
    private readonly user: RedisUser | undefined,
  ) {
    for (const [name, lua] of Object.entries(redisScripts)) this.connection.defineCommand(`ragmesh_${name}`, { lua });
    this.connection.on('error', (error: NodeJS.ErrnoException) => this.#report(error));
    this.connection.on('ready', () => {
      this.#reported = false;
      this.#away(0);
    });
    this.connection.on('close', () => this.#away(1));
  }

  /** Loads the driver, which takes 25 MB that a process without Redis can do without. It connects with {@link start}. */
  static async load(
    { url, db, tls }: RedisAddress,
    { logger, user, ...more }: RedisOptions & { readonly logger?: Logger; readonly user?: RedisUser } = {},
  ): Promise<RedisClient> {
    const { Redis } = await import('ioredis');
    const connection = new Redis(url, { ...options, db, lazyConnect: true, ...(tls ? { tls } : {}), ...more });
    return new RedisClient(connection, logger, user);
  }

  /** Begins to connect; whether it succeeded is heard by events. */
  start(): void {
    this.#away(1);
    this.connection.connect().catch(() => undefined);
  }

  get isReady(): boolean {
    return this.connection.status === 'ready';
  }

  /** @throws when Redis does not answer in time or refuses. */
  run(name: ScriptName, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const commands = this.connection as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    return commands[`ragmesh_${name}Buffer`]!.call(this.connection, keys.length, ...keys, ...args);
  }

  close(): void {
    this.#isClosed = true;
    this.connection.disconnect();
    if (this.user) gauge('ragmesh_redis_away').remove({ ...this.user });
  }

  #away(value: 0 | 1): void {
    if (this.user && !this.#isClosed) gauge('ragmesh_redis_away').set({ ...this.user }, value);
  }

  /** Once for each time it goes away, not for each attempt to reach it. */
  #report({ code, name }: NodeJS.ErrnoException): void {
    if (this.#reported) return;
    this.#reported = true;
    this.logger?.warn({ code: code ?? name }, 'Redis cannot be reached; cached values are kept in memory meanwhile');
  }
}
