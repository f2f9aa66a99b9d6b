import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import type { Embedder } from '../domain/embedder.js';
import { HashEmbedder } from '../domain/hash-embedder.js';
import type { EmbeddingConfig } from '../embedding.config.js';
import { EmbedderPool } from './inference/embedder-pool.js';
import { ModelResolver } from './model-resolver.js';

/** How long a caller waits for a model that is not loaded yet; without `patienceMs` until `signal` aborts. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/**
 * The embedder of this process: loaded in the background from the start on, so that the service answers at once and the
 * first text finds a warm model; loaded again by whoever needs it next when that failed.
 */
@Injectable()
export class LazyEmbedder implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #closing = new AbortController();
  #loading: Promise<Embedder> | undefined;

  constructor(
    private readonly models: ModelResolver,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * The embedder, ready to work; waits for it until `signal` aborts or `patienceMs` have passed.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE when it cannot be had, or not in time.
   */
  async get({ signal, patienceMs }: Patience): Promise<Embedder> {
    this.#loading ??= this.#load();
    const givenUp = Promise.withResolvers<never>();
    const giveUp = (): void => givenUp.reject(unavailable('The embedding model is still being loaded.'));
    const timer = patienceMs === undefined ? undefined : setTimeout(giveUp, patienceMs);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await Promise.race([this.#loading, givenUp.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  onApplicationBootstrap(): void {
    this.#loading ??= this.#load();
    this.#loading.catch((error: unknown) => {
      if (!this.#closing.signal.aborted) this.logger.error({ err: error }, 'The embedding model is not available');
    });
  }

  /** Runs when calls and events have been stopped: what they still needed has been embedded. */
  async onApplicationShutdown(): Promise<void> {
    this.#closing.abort();
    const embedder = await this.#loading?.catch(() => undefined);
    await embedder?.close();
  }

  async #load(): Promise<Embedder> {
    try {
      return await this.#start();
    } catch (error) {
      this.#loading = undefined;
      const { code, message } = asRagmeshError(error);
      throw unavailable(
        `The embedding model ${this.config.EMBEDDING_MODEL} cannot be used: ${message}`,
        { reason: code },
        error,
      );
    }
  }

  async #start(): Promise<Embedder> {
    const { APP_EMBEDDINGS_BACKEND: backend, EMBEDDING_MODEL, EMBEDDING_WORKERS: threads } = this.config;
    if (backend === 'mock') return new HashEmbedder();
    const model = await this.models.resolve(EMBEDDING_MODEL, this.#closing.signal);
    const pool = new EmbedderPool({ model, threads });
    const began = performance.now();
    try {
      await pool.warm();
    } catch (error) {
      await pool.close();
      throw error;
    }
    this.logger.info({ model: pool.model, ms: Math.round(performance.now() - began) }, 'The embedding model is loaded');
    return pool;
  }
}

function unavailable(message: string, details: Record<string, string> = {}, cause?: unknown): RagmeshError {
  return new RagmeshError('EMBEDDING.UNAVAILABLE', message, details, { cause });
}
