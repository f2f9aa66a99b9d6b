import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { circuitBreaker, retryWithJitter, type CircuitBreaker } from '@ragmesh/resilience';
import type { Embedder, EmbedOptions } from '../../domain/embedder.js';
import { EmbeddingsApi, type EmbeddingsApiOptions, type ProviderCall } from './embeddings-api.js';

export interface OpenAiEmbedderOptions extends EmbeddingsApiOptions {
  /** Most texts of one request. */
  readonly batchSize: number;
  readonly timeoutMs: number;
}

/** Requests of one call that are under way at once; more would only meet the provider's limit sooner. */
const PARALLEL = 4;

/** A text with nothing in it is refused by providers; a space means as little. */
const BLANK = ' ';

/** No provider has a reason to refuse it: one that does refuses every text. */
const HARMLESS = 'text';

/** Who is told to come later than that, also by an open breaker, hands it on: the caller has something better to do. */
const retries = { attempts: 3, baseMs: 100, capMs: 2_000 };

/**
 * Embeds with a provider that speaks the OpenAI API. What it fails at is tried again here and nowhere else; what it goes on
 * failing at stops calls to it for a moment.
 */
export class OpenAiEmbedder implements Embedder {
  /** The provider says no revision; vectors of another host or length are other vectors. */
  readonly model: string;
  #dimension: number;
  readonly #api: EmbeddingsApi;
  readonly #breaker: CircuitBreaker;
  readonly #closing = new AbortController();

  constructor(private readonly options: OpenAiEmbedderOptions) {
    const { model, baseUrl, dimensions, timeoutMs } = options;
    const { host } = new URL(baseUrl);
    this.model = `${model}@${[host, dimensions].filter(Boolean).join('-')}`;
    this.#dimension = dimensions ?? 0;
    this.#api = new EmbeddingsApi(options);
    this.#breaker = circuitBreaker(`embeddings ${host} ${model}`, { service: 'embedding', timeoutMs });
  }

  /** Known from the configuration or from the first vectors; 0 before. */
  get dimension(): number {
    return this.#dimension;
  }

  async embed(texts: readonly string[], { signal, onCharged }: EmbedOptions = {}): Promise<Float32Array[]> {
    const done = new AbortController();
    const ends = AbortSignal.any([done.signal, this.#closing.signal, ...(signal ? [signal] : [])]);
    const call = { signal: ends, onCharged };
    const batches: { start: number; texts: string[] }[] = [];
    for (let start = 0; start < texts.length; start += this.options.batchSize) {
      const slice = texts.slice(start, start + this.options.batchSize);
      batches.push({ start, texts: slice.map((text) => (text.trim() === '' ? BLANK : text)) });
    }
    const vectors: Float32Array[] = [];
    const worker = async (): Promise<void> => {
      for (let batch = batches.shift(); batch; batch = batches.shift()) {
        const made = await this.#batch(batch.texts, batch.start, call);
        made.forEach((vector, at) => (vectors[batch!.start + at] = vector));
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(PARALLEL, batches.length) }, worker));
    } finally {
      done.abort(); // after a failure nobody waits for the batches that are left
    }
    return vectors;
  }

  async warm(): Promise<void> {
    await this.embed([BLANK]);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#breaker.shutdown();
  }

  /** A batch that is refused is cut in halves until the one text is found that the provider does not take. */
  async #batch(texts: readonly string[], start: number, call: ProviderCall): Promise<Float32Array[]> {
    try {
      const vectors = await this.#retried(texts, call);
      return vectors.map((vector) => this.#unit(vector));
    } catch (error) {
      if (!isTextRefused(error)) throw error;
      if (texts.length === 1) {
        await this.#probe(call);
        throw new RagmeshError(error.code, `The provider refuses text ${start}.`, { ...error.details, index: start });
      }
      const half = Math.ceil(texts.length / 2);
      const first = await this.#batch(texts.slice(0, half), start, call);
      return [...first, ...(await this.#batch(texts.slice(half), start + half, call))];
    }
  }

  /**
   * A text that is refused is to blame only when another one is not.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE when the provider refuses that one, too, or fails.
   */
  async #probe(call: ProviderCall): Promise<void> {
    try {
      await this.#retried([HARMLESS], call);
    } catch (error) {
      if (!isTextRefused(error)) throw error;
      const { status } = error.details;
      const message =
        `The provider of ${this.options.model} refuses every text (${String(status)}); check that it has EMBEDDING_MODEL ` +
        'as a model for embeddings, and that it takes VECTOR_DIM where that is set.';
      throw new RagmeshError(
        'EMBEDDING.UNAVAILABLE',
        message,
        { ...error.details, reason: 'refused' },
        { cause: error },
      );
    }
  }

  #retried(texts: readonly string[], call: ProviderCall): Promise<number[][]> {
    return retryWithJitter(() => this.#request(texts, call), { ...retries, signal: call.signal });
  }

  async #request(texts: readonly string[], call: ProviderCall): Promise<number[][]> {
    try {
      return await this.#breaker.run((ends) => this.#api.request(texts, { ...call, signal: ends }), call.signal);
    } catch (error) {
      if (!isRagmeshError(error) || error.code === 'REQUEST.CANCELLED') throw error;
      if (error.code !== 'DEPENDENCY.UNAVAILABLE' && error.code !== 'REQUEST.TIMEOUT') throw error;
      const { retryAfter } = error.details;
      const details = { model: this.model, reason: error.code, ...(retryAfter ? { retryAfter } : {}) };
      throw new RagmeshError('EMBEDDING.UNAVAILABLE', error.message, details, { cause: error });
    }
  }

  #unit(values: readonly number[]): Float32Array {
    const vector = Float32Array.from(values);
    const norm = Math.hypot(...vector);
    const expected = this.#dimension || vector.length;
    if (vector.length === expected && Number.isFinite(norm) && norm > 0) {
      this.#dimension = expected;
      return vector.map((each) => each / norm);
    }
    const details = { model: this.model, expected, length: vector.length };
    throw new RagmeshError('EMBEDDING.INVALID_VECTOR', 'The provider gave a vector that cannot be compared.', details);
  }
}

const isTextRefused = (error: unknown): error is RagmeshError =>
  isRagmeshError(error) && error.code === 'EMBEDDING.TEXT_REFUSED';
