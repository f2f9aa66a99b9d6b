import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import type { Embedder } from '../domain/embedder.js';
import type { EmbeddingConfig } from '../embedding.config.js';
import { EmbedderPool } from './inference/embedder-pool.js';
import { ModelFailures } from './model-failures.js';
import { ModelRegistry, type HeldModel, type MemoryOrder, type RegisteredModel } from './model-registry.js';

/** How often this process tells the registry what it holds. */
const REPORT_MS = 5_000;

const FEWER_THREADS = 'A model works with fewer threads than it may have; the next is tried again in a minute';

export interface LoadOptions {
  readonly signal: AbortSignal;
  /** The name comes from a caller: nothing is downloaded for it. */
  readonly localOnly?: boolean;
}

/**
 * The models in the memory of this process. The registry decides what stays: before a load it is asked for room, and every
 * 5 s it is told what is here. A model that is given up while it works ends with its last text.
 */
@Injectable()
export class ModelMemory implements OnApplicationShutdown {
  /** By name@revision. */
  readonly #held = new Map<string, Held>();
  /** By the name it was asked for. */
  readonly #byReference = new Map<string, Held>();
  readonly #loading = new Map<string, Promise<Held>>();
  /** By name@revision: what is on its way into memory. */
  readonly #coming = new Map<string, Promise<Held>>();
  /** Bytes granted to those of them that have begun. */
  readonly #granted = new Map<string, number>();
  /** Room is asked for one after the other: two that ask at once would both be granted the same. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #failures: ModelFailures;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly registry: ModelRegistry,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#failures = new ModelFailures(logger);
  }

  isReady(reference: string): boolean {
    return this.#byReference.has(reference);
  }

  /** Uses a model that is in memory; it stays there until `work` ends. Undefined when it is not. */
  useReady<T>(reference: string, work: (embedder: Embedder) => Promise<T>): Promise<T> | undefined {
    const held = this.#byReference.get(reference);
    return held && this.#use(held, work);
  }

  /**
   * Uses a model, loaded first where it has to be: once, however many ask.
   * @throws RagmeshError MODEL.NOT_FOUND, MODEL.CORRUPT, MODEL.OVER_BUDGET, EMBEDDING.UNAVAILABLE; what `work` throws.
   */
  async use<T>(reference: string, options: LoadOptions, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    const ready = this.useReady(reference, work);
    if (ready) return ready;
    return this.#use(await this.load(reference, options), work);
  }

  async load(reference: string, { signal, localOnly = false }: LoadOptions): Promise<Held> {
    const ready = this.#byReference.get(reference);
    if (ready) return ready;
    const loading = this.#loading.get(reference);
    if (loading) return loading;
    const started = this.#load(reference, signal, localOnly).finally(() => this.#loading.delete(reference));
    this.#loading.set(reference, started);
    return started;
  }

  /** Runs when calls and events have been stopped: what they still needed has been embedded. */
  async onApplicationShutdown(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await Promise.allSettled(this.#loading.values());
    await Promise.all([...this.#held.values()].map(({ embedder }) => embedder.close()));
  }

  async #load(reference: string, signal: AbortSignal, localOnly: boolean): Promise<Held> {
    const onFailure = (error: unknown): void => {
      // A name that nothing has is for the caller to know who made it up.
      const isCallersOwn = localOnly && asRagmeshError(error).code === 'MODEL.NOT_FOUND';
      if (!signal.aborted && !isCallersOwn) this.#failures.tell(reference, error);
    };
    try {
      const model = await this.registry.resolve(reference, signal, { localOnly, onFailure });
      const held = await this.#bring(model);
      this.#byReference.set(reference, held);
      return held;
    } catch (error) {
      onFailure(error);
      throw error;
    }
  }

  async #bring(model: RegisteredModel): Promise<Held> {
    const name = `${model.name}@${model.revision}`;
    const known = this.#held.get(name) ?? this.#coming.get(name);
    if (known) return known;
    const coming = this.#take(model, name).finally(() => this.#coming.delete(name));
    this.#coming.set(name, coming);
    return coming;
  }

  async #take(model: RegisteredModel, name: string): Promise<Held> {
    const bytes = model.bytes * this.config.EMBEDDING_WORKERS;
    const room = this.#turn.then(() => this.#makeRoom(name, bytes));
    this.#turn = room.catch(() => undefined);
    await room;
    try {
      const held = new Held(name, bytes, await this.#start(model));
      this.#held.set(name, held);
      this.#reportFromNowOn();
      return held;
    } finally {
      this.#granted.delete(name);
    }
  }

  /** Beside what is being loaded, where it fits; else after it, as it can be given up then. */
  async #makeRoom(name: string, bytes: number): Promise<void> {
    for (;;) {
      const granted = [...this.#granted.values()].reduce((sum, each) => sum + each, 0);
      const { unload, fits } = await this.#askForRoom(name, granted + bytes);
      if (fits) {
        this.#granted.set(name, bytes);
        for (const each of unload) this.#unload(each);
        return;
      }
      const loading = [...this.#granted.keys()].map((each) => this.#coming.get(each));
      if (loading.length === 0) {
        const limit = this.config.EMBEDDING_MEMORY_BUDGET;
        const message = `The model ${name} takes ${bytes} bytes and does not fit into EMBEDDING_MEMORY_BUDGET.`;
        throw new RagmeshError('MODEL.OVER_BUDGET', message, { model: name, bytes, limit });
      }
      await Promise.race(loading).catch(() => undefined);
    }
  }

  /** Without the registry nothing is given up, but what fits beside everything else is loaded. */
  async #askForRoom(model: string, bytes: number): Promise<Pick<MemoryOrder, 'unload' | 'fits'>> {
    const held = this.#report();
    return this.registry.report(held, { model, bytes }).catch(() => {
      const used = held.reduce((sum, each) => sum + each.bytes, bytes);
      return { unload: [], fits: used <= this.config.EMBEDDING_MEMORY_BUDGET };
    });
  }

  async #start(model: RegisteredModel): Promise<EmbedderPool> {
    const encoder = model.task === 'rerank' ? 'cross-encoder' : 'sentence-encoder';
    const threads = this.config.EMBEDDING_WORKERS;
    const onFewerThreads = (error: RagmeshError): void =>
      this.logger.warn({ model: `${model.name}@${model.revision}`, code: error.code, err: error }, FEWER_THREADS);
    const pool = new EmbedderPool({ model, encoder, threads, onFewerThreads });
    const began = performance.now();
    try {
      await pool.warm();
      if (this.#closed) throw new RagmeshError('SERVER.STOPPING', 'The server is being stopped.');
    } catch (error) {
      await pool.close();
      throw error;
    }
    this.logger.info({ model: pool.model, duration_ms: Math.round(performance.now() - began) }, 'A model is loaded');
    return pool;
  }

  async #use<T>(held: Held, work: (embedder: Embedder) => Promise<T>): Promise<T> {
    held.begin();
    try {
      return await work(held.embedder);
    } finally {
      held.end();
    }
  }

  #unload(name: string): void {
    const held = this.#held.get(name);
    if (!held) return;
    this.#held.delete(name);
    for (const [reference, other] of this.#byReference) if (other === held) this.#byReference.delete(reference);
    held.leave();
    this.logger.info({ model: name, bytes: held.bytes }, 'A model was given up');
  }

  #reportFromNowOn(): void {
    this.#timer ??= setInterval(() => void this.#sync(), REPORT_MS).unref();
    void this.#sync();
  }

  /** Nobody depends on it: when the registry is away, everything stays as it is. */
  async #sync(): Promise<void> {
    const order = await this.registry.report(this.#report()).catch(() => undefined);
    if (!order || this.#closed) return;
    for (const name of order.unload) this.#unload(name);
    for (const name of order.load) {
      // Told again with the next report, and said by the load itself.
      this.load(name, { signal: AbortSignal.timeout(REPORT_MS), localOnly: true }).catch(() => undefined);
    }
    if (order.unload.length > 0) await this.registry.report(this.#report()).catch(() => undefined);
  }

  #report(): HeldModel[] {
    return [...this.#held.values()].map((held) => held.report());
  }
}

/** A model in memory, and who uses it. */
class Held {
  readonly #since = performance.now();
  #lastUse = performance.now();
  #users = 0;
  #leaving = false;

  constructor(
    readonly model: string,
    readonly bytes: number,
    readonly embedder: Embedder,
  ) {}

  begin(): void {
    this.#users += 1;
  }

  end(): void {
    this.#users -= 1;
    this.#lastUse = performance.now();
    if (this.#leaving && this.#users === 0) void this.embedder.close();
  }

  /** Frees the model once nobody uses it. */
  leave(): void {
    this.#leaving = true;
    if (this.#users === 0) void this.embedder.close();
  }

  report(): HeldModel {
    const now = performance.now();
    const idleMs = this.#users > 0 ? 0 : Math.max(1, Math.round(now - this.#lastUse));
    return { model: this.model, bytes: this.bytes, residentMs: Math.round(now - this.#since), idleMs };
  }
}
