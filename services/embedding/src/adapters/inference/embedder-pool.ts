import { availableParallelism } from 'node:os';
import { RagmeshError } from '@ragmesh/errors';
import { currentContext } from '@ragmesh/observability';
import { BatchScheduler } from '../../domain/batch-scheduler.js';
import type { Embedder, EmbedOptions, EmbedPriority } from '../../domain/embedder.js';
import { estimateTokens } from '../../domain/token-estimate.js';
import { EmbedRequest, type PendingText } from './embed-request.js';
import { InferenceThread, type EncoderName, type InferenceThreadEvents } from './inference-thread.js';
import { Suspects } from './suspects.js';

export interface PoolModel {
  readonly name: string;
  readonly revision: string;
  /** Absolute folder with the tokenizer's files. */
  readonly folder: string;
  /** ONNX file below the folder; `onnx/model_quantized.onnx` unless said. */
  readonly weights?: string;
  readonly dimension: number;
  /** Longest input in tokens, special tokens included; longer texts are cut. */
  readonly maxTokens: number;
  /** How the vectors of tokens become one; their mean unless said. */
  readonly pooling?: 'mean' | 'cls';
}

export interface EmbedderPoolOptions {
  readonly model: PoolModel;
  /** `sentence-encoder` unless said. */
  readonly encoder?: EncoderName;
  /** Most threads, each with a session of its own; one per core unless said. The first text starts the first one. */
  readonly threads?: number;
  /** A thread beyond the first is ended after this many milliseconds without work; 60 s unless said. */
  readonly idleMilliseconds?: number;
  /** A thread beyond the first that could not load the model is tried again after this many milliseconds; 60 s unless said. */
  readonly retryMilliseconds?: number;
  /** Told why, each time one could not: the pool goes on with those it has. */
  readonly onFewerThreads?: (error: RagmeshError) => void;
}

/** Small batches stay in the cache of a core, keep queries waiting for tens of milliseconds at most, and bound memory. */
const batchLimits = { texts: 8, tokens: 512 };

/** Texts measured and queued in one turn of the event loop. */
const sliceSize = 256;

/** Batches a thread may hold: one running and one waiting hides the way there and back; a query may come on top. */
const depth: Record<EmbedPriority, number> = { batch: 2, query: 3 };
const queryDepth = 2;

/** Queries that find every thread at work wait 1 to 2 ms for others to join them. */
const windowMs = 1;

/** Embeds in worker threads, one single-threaded session each; batches merge the texts of concurrent requests. */
export class EmbedderPool implements Embedder {
  readonly model: string;
  readonly dimension: number;
  private readonly scheduler = new BatchScheduler<PendingText>(batchLimits);
  private readonly suspects = new Suspects((text, cause) => void this.judge(text, cause));
  private readonly probes = new WeakSet<EmbedRequest>();
  /** Fewer for a while after one could not load the model. */
  private maxThreads: number;
  private threads: InferenceThread[] = [];
  private closed = false;
  private idleTimer: NodeJS.Timeout | undefined;
  private windowTimer: NodeJS.Timeout | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private dispatchesSoon = false;
  private reserved: InferenceThread | undefined;

  constructor(private readonly options: EmbedderPoolOptions) {
    const { name, revision, dimension } = options.model;
    this.model = `${name}@${revision}`;
    this.dimension = dimension;
    this.maxThreads = this.mostThreads;
  }

  private get mostThreads(): number {
    return this.options.threads ?? availableParallelism();
  }

  get maxTokens(): number {
    return this.options.model.maxTokens;
  }

  /** Texts that no thread has taken yet. */
  get waiting(): number {
    return this.scheduler.size + this.suspects.size;
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    if (this.closed) throw unavailable('The embedder has been closed.');
    if (texts.length === 0) return [];
    const request = new EmbedRequest(texts.length, options, () =>
      this.scheduler.remove((item) => !item.request.isOpen),
    );
    void this.enqueue(texts, request);
    return request.result;
  }

  async warm(): Promise<void> {
    const request = new EmbedRequest(1, { priority: 'query' }, () => undefined);
    this.probes.add(request);
    void this.enqueue([''], request);
    await request.result;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.idleTimer);
    clearTimeout(this.windowTimer);
    clearTimeout(this.retryTimer);
    const threads = this.threads;
    this.threads = [];
    this.rejectWaiting(unavailable('The embedder is being closed.'));
    for (const thread of threads) this.reject(thread.unfinished.flat(), unavailable('The embedder is being closed.'));
    await Promise.all(threads.map((thread) => thread.stop()));
  }

  /** In slices, so that thousands of texts do not hold up the event loop. */
  private async enqueue(texts: readonly string[], request: EmbedRequest): Promise<void> {
    const limit = this.options.model.maxTokens;
    const tenant = currentContext()?.tenant ?? '';
    for (let start = 0; start < texts.length && request.isOpen; start += sliceSize) {
      if (start > 0) await new Promise(setImmediate);
      const slice = texts.slice(start, start + sliceSize);
      const items = slice.map((text, at) => ({
        text,
        index: start + at,
        request,
        tenant,
        tokens: estimateTokens(text, limit),
        failuresAlone: 0,
      }));
      if (this.closed) return request.fail(unavailable('The embedder is being closed.'));
      this.scheduler.add(items, request.priority);
      if (request.priority === 'query') this.dispatchSoon();
      else this.dispatch();
    }
  }

  /** At the end of this turn of the event loop, so that queries that arrive together leave together. */
  private dispatchSoon(): void {
    if (this.dispatchesSoon) return;
    this.dispatchesSoon = true;
    setImmediate(() => {
      this.dispatchesSoon = false;
      this.dispatch();
    });
  }

  private dispatch(isWindowOver = false): void {
    if (this.closed) return;
    this.dispatchSuspects();
    const mayWait = !isWindowOver && this.scheduler.count('query') < batchLimits.texts;
    this.dispatchTo('query', (thread) => thread.load === 0 || (!mayWait && thread.queries < queryDepth));
    this.dispatchTo('batch', () => true);
    if (mayWait && this.scheduler.has('query')) this.openWindow();
    const idle = this.threads.some(({ load }) => load === 0);
    const mayStart = this.threads.length < this.maxThreads && this.threads.every(({ isReady }) => isReady);
    if (this.waiting > 0 && mayStart && !idle) this.startThread();
  }

  private openWindow(): void {
    this.windowTimer ??= setTimeout(() => {
      this.windowTimer = undefined;
      this.dispatch(true);
    }, windowMs);
  }

  /** Gives batches to the threads with the least to do, as long as one may take more. */
  private dispatchTo(priority: EmbedPriority, mayTake: (thread: InferenceThread) => boolean): void {
    while (this.scheduler.has(priority)) {
      const thread = this.readyThreads.find((each) => each.load < depth[priority] && mayTake(each));
      if (!thread) return;
      thread.run(this.scheduler.next(priority)!, priority);
    }
  }

  /** A suspect has a thread to itself; the one with the least to do is kept free for it. */
  private dispatchSuspects(): void {
    this.reserved = undefined;
    while (this.suspects.size > 0) {
      const thread = this.readyThreads[0];
      if (!thread) return;
      if (thread.load > 0) return void (this.reserved = thread);
      const batch = this.suspects.next();
      if (batch) thread.run(batch, batch[0]!.request.priority, true);
    }
  }

  /** Threads that may take a batch, the one with the least to do first. */
  private get readyThreads(): InferenceThread[] {
    const ready = this.threads.filter((each) => each.isReady && !each.isIsolated && each !== this.reserved);
    return ready.length > 1 ? ready.toSorted((a, b) => a.load - b.load) : ready;
  }

  private startThread(): void {
    const { folder, weights = 'onnx/model_quantized.onnx', maxTokens, pooling } = this.options.model;
    const model = { folder, weights, maxTokens, ...(pooling ? { pooling } : {}) };
    const { encoder = 'sentence-encoder' } = this.options;
    this.threads.push(new InferenceThread({ model, encoder, runTokens: batchLimits.tokens * 1.5 }, this.events));
  }

  private readonly events: InferenceThreadEvents = {
    ready: () => this.dispatch(),
    vectors: (batch, vectors) => {
      batch.forEach((item, at) => this.settle(item, vectors[at]!));
      this.dispatch();
      this.endIdleThreadsLater();
    },
    failed: (batch, reason) => {
      this.suspects.add(batch, true, reason);
      this.dispatch();
    },
    died: (thread, unfinished, cause) => {
      this.threads = this.threads.filter((other) => other !== thread);
      if (!thread.isReady) this.noteUnloadable(cause);
      for (const batch of unfinished) this.suspects.add(batch, unfinished.length === 1, cause);
      this.dispatch();
    },
  };

  private settle({ index, request }: PendingText, vector: Float32Array): void {
    if (vector.length === this.dimension && !Number.isNaN(vector[0])) return request.fill(index, vector);
    const details = { model: this.model, expected: this.dimension, length: vector.length };
    request.fail(
      new RagmeshError('EMBEDDING.INVALID_VECTOR', 'The model gave a vector that cannot be compared.', details),
    );
  }

  /** A text that fails alone is to blame only when another one does not fail. */
  private async judge({ index, request }: PendingText, cause: unknown): Promise<void> {
    if (this.probes.has(request)) return request.fail(unavailable('The embedding model cannot be run.', cause));
    try {
      await this.warm();
    } catch (error) {
      return request.fail(unavailable('The embedding model cannot be run.', error));
    }
    const message = `The model fails on text ${index}, and on no other.`;
    request.fail(new RagmeshError('EMBEDDING.TEXT_REFUSED', message, { index, model: this.model }, { cause }));
  }

  /** Without a further thread those there are go on; with none nobody can. */
  private noteUnloadable(cause: unknown): void {
    if (this.closed) return;
    if (this.threads.length === 0)
      return this.rejectWaiting(unavailable('The embedding model cannot be loaded.', cause));
    this.maxThreads = this.threads.length;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => {
      this.maxThreads = this.mostThreads;
      this.dispatch();
    }, this.options.retryMilliseconds ?? 60_000).unref();
    this.options.onFewerThreads?.(unavailable('A further thread cannot load the embedding model.', cause));
  }

  private rejectWaiting(error: RagmeshError): void {
    this.reject([...this.scheduler.remove(() => true), ...this.suspects.removeAll()], error);
  }

  private reject(items: readonly PendingText[], error: RagmeshError): void {
    for (const { request } of items) request.fail(error);
  }

  private endIdleThreadsLater(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      const ended = this.threads.filter(({ load }) => load === 0).slice(1);
      this.threads = this.threads.filter((thread) => !ended.includes(thread));
      for (const thread of ended) void thread.stop();
    }, this.options.idleMilliseconds ?? 60_000).unref();
  }
}

function unavailable(message: string, cause?: unknown): RagmeshError {
  return new RagmeshError('EMBEDDING.UNAVAILABLE', message, {}, { cause });
}
