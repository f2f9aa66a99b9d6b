import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { Embedder } from '../domain/embedder.js';
import { HashEmbedder } from '../domain/hash-embedder.js';
import type { EmbeddingConfig } from '../embedding.config.js';
import { ModelMemory } from './model-memory.js';
import { OpenAiEmbedder } from './openai/openai-embedder.js';

/** How long a caller waits for a model that is not loaded yet; without `patienceMs` until `signal` aborts. */
export interface Patience {
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/**
 * Who embeds, by configuration. A local model is loaded in the background from the start on, so that the service answers at
 * once and the first text finds it warm; loaded again by whoever needs it next when that failed.
 */
@Injectable()
export class Embedders implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #closing = new AbortController();
  readonly #remote = new Map<string, Embedder>();
  readonly #mock = new HashEmbedder();

  constructor(
    private readonly memory: ModelMemory,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
  ) {}

  /** Whether its texts need not wait for the model. */
  isReady(reference: string): boolean {
    return this.config.APP_EMBEDDINGS_BACKEND !== 'local' || this.memory.isReady(reference);
  }

  /**
   * Works with the model this installation embeds with; waits for it until `signal` aborts or `patienceMs` have passed.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE when it cannot be had, or not in time; what `work` throws.
   */
  async use<T>(patience: Patience, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    const { APP_EMBEDDINGS_BACKEND: backend, EMBEDDING_MODEL: name } = this.config;
    if (backend === 'mock') return work(this.#mock);
    if (backend === 'openai') return work(this.#openai(name));
    return this.#local(name, patience, work);
  }

  /** The same with the smaller model that takes over, which always runs here. */
  async useFallback<T>(name: string, patience: Patience, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    return this.#local(name, patience, work);
  }

  /** The same with a model that a caller names. @throws RagmeshError MODEL.NOT_FOUND, MODEL.CORRUPT and MODEL.OVER_BUDGET too. */
  async useNamed<T>(name: string, patience: Patience, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    const { APP_EMBEDDINGS_BACKEND: backend, EMBEDDING_MODEL } = this.config;
    if (name === EMBEDDING_MODEL) return this.use(patience, work);
    if (backend === 'mock' && name === this.#mock.model) return work(this.#mock);
    const own = backend === 'openai' ? this.#openai(EMBEDDING_MODEL) : undefined;
    if (own?.model === name) return work(own);
    await inTime(this.#loadNamed(name), patience);
    return this.memory.use(name, { signal: this.#closing.signal, localOnly: true }, work);
  }

  onApplicationBootstrap(): void {
    const { APP_EMBEDDINGS_BACKEND: backend, EMBEDDING_MODEL: name } = this.config;
    if (backend !== 'local') return;
    this.#load(name).catch(() => undefined); // told where models are kept; whoever asks next tries again
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#remote.values()].map((embedder) => embedder.close()));
  }

  async #local<T>(name: string, patience: Patience, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    const ready = this.memory.useReady(name, work);
    if (ready) return ready;
    await inTime(this.#load(name), patience);
    return this.memory.use(name, { signal: this.#closing.signal }, work);
  }

  async #load(name: string): Promise<void> {
    try {
      await this.memory.load(name, { signal: this.#closing.signal });
    } catch (error) {
      throw notLoaded(name, error);
    }
  }

  /** What is wrong with the model or its name is for whoever named it. That a load he joined was called off is not his doing. */
  async #loadNamed(name: string): Promise<void> {
    try {
      await this.memory.load(name, { signal: this.#closing.signal, localOnly: true });
    } catch (error) {
      throw asRagmeshError(error).code === 'REQUEST.CANCELLED' ? notLoaded(name, error) : error;
    }
  }

  #openai(name: string): Embedder {
    const known = this.#remote.get(name);
    if (known) return known;
    const { config } = this;
    const embedder = new OpenAiEmbedder({
      model: name,
      baseUrl: config.EMBEDDING_BASE_URL ?? config.OPENAI_BASE_URL,
      apiKey: config.EMBEDDING_API_KEY ?? config.OPENAI_API_KEY,
      dimensions: config.VECTOR_DIM,
      batchSize: config.EMBEDDING_BATCH_SIZE,
      timeoutMs: config.EMBEDDING_TIMEOUT * 1000,
    });
    this.#remote.set(name, embedder);
    return embedder;
  }
}

async function inTime(loading: Promise<unknown>, { signal, patienceMs }: Patience): Promise<void> {
  const givenUp = Promise.withResolvers<never>();
  const giveUp = (): void => givenUp.reject(unavailable('The embedding model is still being loaded.'));
  const timer = patienceMs === undefined ? undefined : setTimeout(giveUp, patienceMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    await Promise.race([loading, givenUp.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

function notLoaded(name: string, error: unknown): RagmeshError {
  const { code, message } = asRagmeshError(error);
  return unavailable(`The embedding model ${name} cannot be used: ${message}`, { reason: code }, error);
}

function unavailable(message: string, details: Record<string, string> = {}, cause?: unknown): RagmeshError {
  return new RagmeshError('EMBEDDING.UNAVAILABLE', message, details, { cause });
}
