import { availableParallelism } from 'node:os';
import { RagmeshError } from '@ragmesh/errors';
import { BatchScheduler } from '../../domain/batch-scheduler.js';
import type { Embedder, EmbedOptions, EmbedPriority } from '../../domain/embedder.js';
import { estimateTokens } from '../../domain/token-estimate.js';
import { EmbedRequest, type PendingText } from './embed-request.js';
import { InferenceThread, type InferenceThreadEvents } from './inference-thread.js';

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
}

export interface EmbedderPoolOptions {
  readonly model: PoolModel;
  /** Most threads, each with a session of its own; one per core unless said. The first text starts the first one. */
  readonly threads?: number;
  /** A thread beyond the first is ended after this many milliseconds without work; 60 s unless said. */
  readonly idleMilliseconds?: number;
}

/** Small batches stay in the cache of a core, keep queries waiting for tens of milliseconds at most, and bound memory. */
const batchLimits = { texts: 8, tokens: 512 };

/** Texts measured and queued in one turn of the event loop. */
const sliceSize = 256;

/** Batches a thread may hold: one running and one waiting hides the way there and back; a query may come on top. */
const depth: Record<EmbedPriority, number> = { batch: 2, query: 3 };

/** Embeds in worker threads, one single-threaded session each; batches merge the texts of concurrent requests. */
export class EmbedderPool implements Embedder {
  readonly model: string;
  readonly dimension: number;
  private readonly scheduler = new BatchScheduler<PendingText>(batchLimits);
  private readonly retries: (readonly PendingText[])[] = [];
  private readonly maxThreads: number;
  private threads: InferenceThread[] = [];
  private closed = false;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: EmbedderPoolOptions) {
    const { name, revision, dimension } = options.model;
    this.model = `${name}@${revision}`;
    this.dimension = dimension;
    this.maxThreads = options.threads ?? availableParallelism();
  }

  /** Texts that no thread has taken yet. */
  get waiting(): number {
    return this.scheduler.size + this.retries.reduce((sum, batch) => sum + batch.length, 0);
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
    await this.embed([''], { priority: 'query' });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.idleTimer);
    const threads = this.threads;
    this.threads = [];
    this.rejectWaiting(unavailable('The embedder is being closed.'));
    for (const thread of threads) this.reject(thread.unfinished.flat(), unavailable('The embedder is being closed.'));
    await Promise.all(threads.map((thread) => thread.stop()));
  }

  /** In slices, so that thousands of texts do not hold up the event loop. */
  private async enqueue(texts: readonly string[], request: EmbedRequest): Promise<void> {
    const limit = this.options.model.maxTokens;
    for (let start = 0; start < texts.length && request.isOpen; start += sliceSize) {
      if (start > 0) await new Promise(setImmediate);
      const slice = texts.slice(start, start + sliceSize);
      const items = slice.map((text, at) => ({
        text,
        index: start + at,
        request,
        tokens: estimateTokens(text, limit),
        retried: false,
      }));
      if (this.closed) return request.fail(unavailable('The embedder is being closed.'));
      this.scheduler.add(items, request.priority);
      this.dispatch();
    }
  }

  private dispatch(): void {
    if (this.closed) return;
    for (const priority of ['query', 'batch'] as const) {
      for (let thread = this.freeThread(priority); thread; thread = this.freeThread(priority)) {
        const batch = (priority === 'batch' && this.retries.shift()) || this.scheduler.next(priority);
        if (!batch) break;
        thread.run(batch, priority);
      }
    }
    const idle = this.threads.some(({ load }) => load === 0);
    const mayStart = this.threads.length < this.maxThreads && this.threads.every(({ isReady }) => isReady);
    if (this.waiting > 0 && mayStart && !idle) this.startThread();
  }

  /** The ready thread with the least to do, unless even that one holds all it may. */
  private freeThread(priority: EmbedPriority): InferenceThread | undefined {
    const ready = this.threads.filter(({ isReady }) => isReady).toSorted((a, b) => a.load - b.load);
    return ready.find(({ load }) => load < depth[priority]);
  }

  private startThread(): void {
    const { folder, weights = 'onnx/model_quantized.onnx', maxTokens } = this.options.model;
    const model = { folder, weights, maxTokens };
    this.threads.push(new InferenceThread({ model, runTokens: batchLimits.tokens * 1.5 }, this.events));
  }

  private readonly events: InferenceThreadEvents = {
    ready: () => this.dispatch(),
    vectors: (batch, vectors) => {
      batch.forEach((item, at) => this.settle(item, vectors[at]!));
      this.dispatch();
      this.endIdleThreadsLater();
    },
    failed: (batch, reason) => this.retry(batch, reason),
    died: (thread, unfinished, cause) => {
      this.threads = this.threads.filter((other) => other !== thread);
      if (!thread.isReady) this.rejectWaiting(unavailable('The embedding model cannot be loaded.', cause));
      for (const batch of unfinished) this.retry(batch, cause);
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

  /** A batch that failed is tried once more in halves, in case its size was the reason. */
  private retry(batch: readonly PendingText[], cause: unknown): void {
    const open = batch.filter(({ request }) => request.isOpen);
    const failedTwice = open.filter(({ retried }) => retried);
    this.reject(failedTwice, unavailable('Embedding failed twice.', cause));
    const again = open.filter(({ retried, request }) => !retried && request.isOpen);
    for (const item of again) item.retried = true;
    const half = Math.ceil(again.length / 2);
    for (const part of [again.slice(0, half), again.slice(half)]) if (part.length > 0) this.retries.push(part);
    this.dispatch();
  }

  private rejectWaiting(error: RagmeshError): void {
    this.reject([...this.scheduler.remove(() => true), ...this.retries.splice(0).flat()], error);
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
