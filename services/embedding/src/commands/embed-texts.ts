import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import type { Computed } from '@ragmesh/cache';
import { RagmeshError, asRagmeshError, isRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { Embedders, type Patience } from '../adapters/embedders.js';
import { NAMESPACE, VectorCache } from '../adapters/vector-cache.js';
import type { Embedder, EmbedPriority, ProviderCharge } from '../domain/embedder.js';
import { embeddingCacheKey } from '../domain/embedding-cache-key.js';
import type { EmbeddingConfig } from '../embedding.config.js';

/** Vectors in the order of the texts, and which model made them. */
export interface Embedded {
  readonly vectors: readonly Float32Array[];
  /** `name@revision` */
  readonly model: string;
  readonly dimension: number;
  /** Longest text in tokens, where it is known. */
  readonly maxTokens?: number | undefined;
  /** What a provider charges for those that were not known; nothing for a model that runs here. */
  readonly charge?: ProviderCharge;
}

/** By which model questions may be embedded. */
export interface QuestionChoice {
  /** Whoever hands vectors out under a model's name cannot use another one's. */
  readonly withoutFallback?: boolean;
}

/** Embeds what is not known yet; each distinct text once, also when several ask for it at the same time. */
@Injectable()
export class EmbedTexts {
  /** name@revision of this installation's model, known once it has worked. */
  #model: string | undefined;

  constructor(
    private readonly embedders: Embedders,
    private readonly vectors: VectorCache,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const { APP_EMBEDDINGS_BACKEND: backend, EMBEDDING_MODEL: name } = config;
    if (backend === 'local' && name.includes('@')) this.#model = name;
  }

  /**
   * The vectors of chunks: only ever by one model, because an index must not mix models; they wait for it, and for room for it.
   * @param model the one named for their generation of the index; nothing: this installation's own.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE, EMBEDDING.INVALID_VECTOR, EMBEDDING.TEXT_REFUSED or REQUEST.CANCELLED;
   *   MODEL.NOT_FOUND or MODEL.CORRUPT for a named model.
   */
  async chunks(texts: readonly string[], patience: Patience, model = ''): Promise<Embedded> {
    const work = (embedder: Embedder): Promise<Embedded> => this.#embed(texts, embedder, 'batch', patience.signal);
    if (model === '') return this.embedders.use(patience, work);
    return this.embedders.useNamed(model, patience, work).catch((error: unknown) => {
      throw awaitingRoom(error);
    });
  }

  /**
   * The vectors of questions. While the model cannot be had: those kept from before, else those of the smaller model, which
   * takes over after half of the time. The answer names the model, and whoever searches must not compare vectors of different ones.
   * @throws RagmeshError as {@link chunks}.
   */
  async questions(texts: readonly string[], patience: Patience, choice: QuestionChoice = {}): Promise<Embedded> {
    const isReady = this.embedders.isReady(this.config.EMBEDDING_MODEL);
    const kept = isReady ? undefined : await this.#kept(texts);
    if (kept) return kept;
    const fallback = choice.withoutFallback ? undefined : this.config.EMBEDDING_FALLBACK_MODEL;
    const { signal, patienceMs = Infinity } = patience;
    const deadline = Deadline.in(patienceMs, signal);
    try {
      const half = fallback ? deadline.within(deadline.remainingMs / 2).signal() : signal;
      return await this.#own(texts, { ...patience, signal: half });
    } catch (error) {
      if (!isRagmeshError(error) || error.code !== 'EMBEDDING.UNAVAILABLE' || signal.aborted) throw error;
      const late = isReady ? await this.#kept(texts) : undefined;
      const rest = { signal, patienceMs: deadline.remainingMs };
      const other = late ?? (fallback ? await this.#smaller(fallback, texts, rest) : undefined);
      if (!other) throw error;
      return other;
    }
  }

  async #own(texts: readonly string[], patience: Patience): Promise<Embedded> {
    const { signal } = patience;
    try {
      return await this.embedders.use(patience, async (embedder) => {
        this.#model = embedder.model;
        return this.#embed(texts, embedder, 'query', signal);
      });
    } catch (error) {
      if (!isRagmeshError(signal.reason) || signal.reason.code !== 'REQUEST.TIMEOUT') throw error;
      const message = 'The embedding model gave no vector in time.';
      throw new RagmeshError('EMBEDDING.UNAVAILABLE', message, { reason: 'REQUEST.TIMEOUT' }, { cause: error });
    }
  }

  /** The vectors by a model that the caller names. @throws RagmeshError as {@link chunks}, and MODEL.OVER_BUDGET. */
  async named(model: string, texts: readonly string[], patience: Patience): Promise<Embedded> {
    const work = (embedder: Embedder): Promise<Embedded> => this.#embed(texts, embedder, 'query', patience.signal);
    return this.embedders.useNamed(model, patience, work);
  }

  async #embed(
    texts: readonly string[],
    embedder: Embedder,
    priority: EmbedPriority,
    signal: AbortSignal,
  ): Promise<Embedded> {
    const { model, maxTokens } = embedder;
    const keys = texts.map((text) => keyOf(model, text));
    const textOf = new Map(keys.map((key, at) => [key, texts[at]!]));
    const charges: ProviderCharge[] = [];
    const onCharged = (charge: ProviderCharge): void => void charges.push(charge);
    const compute = async (missing: readonly string[], abandoned: AbortSignal) => {
      const work = embedder.embed(
        missing.map((key) => textOf.get(key)!),
        { priority, signal: abandoned, onCharged },
      );
      const made = await work.catch((error: unknown) => Promise.reject(refusalOf(missing, error)));
      return new Map(missing.map((key, at): [string, Computed<Float32Array>] => [key, { value: made[at]! }]));
    };
    const embedding = this.vectors.for(priority).getOrComputeMany([...textOf.keys()], compute, signal);
    const found = await embedding.catch((error: unknown) => Promise.reject(placedAmong(keys, error)));
    const vectors = keys.map((key) => found.get(key)!.value!);
    const charge = totalOf(charges);
    const dimension = vectors[0]?.length ?? embedder.dimension;
    return { vectors, model, dimension, maxTokens, ...(charge ? { charge } : {}) };
  }

  /** Vectors made earlier, when every text has one. */
  async #kept(texts: readonly string[]): Promise<Embedded | undefined> {
    const model = this.#model;
    if (!model) return undefined;
    const cache = this.vectors.for('query');
    const known = await Promise.all(texts.map((text) => cache.known(keyOf(model, text))));
    const vectors = known.map((entry) => entry?.value).filter((vector) => vector !== undefined && vector !== null);
    if (vectors.length < texts.length) return undefined;
    return { vectors, model, dimension: vectors[0]!.length };
  }

  async #smaller(name: string, texts: readonly string[], patience: Patience): Promise<Embedded | undefined> {
    const work = (embedder: Embedder): Promise<Embedded> => this.#embed(texts, embedder, 'query', patience.signal);
    return this.embedders.useFallback(name, patience, work).catch((error: unknown) => {
      this.logger.warn({ model: name, code: asRagmeshError(error).code }, 'The smaller model is not available either');
      return undefined;
    });
  }
}

/** What one model charges for several requests. */
function totalOf(charges: readonly ProviderCharge[]): ProviderCharge | undefined {
  const tokens = charges.reduce((sum, charge) => sum + charge.tokens, 0);
  return charges[0] && { model: charges[0].model, tokens };
}

/** A model that does not fit beside others fits later: a chunk is put off as when its model is away, and not given up. */
function awaitingRoom(error: unknown): unknown {
  if (!isRagmeshError(error) || error.code !== 'MODEL.OVER_BUDGET') return error;
  const details = { ...error.details, reason: error.code };
  return new RagmeshError('EMBEDDING.UNAVAILABLE', error.message, details, { cause: error });
}

/** A text that the model refuses, by its key: each who waits for it has it in another place. */
class RefusedText extends Error {
  constructor(
    readonly key: string,
    readonly refusal: RagmeshError,
  ) {
    super(refusal.message, { cause: refusal });
  }
}

/** @param keys of the texts the model was given, among which a refusal names its text. */
function refusalOf(keys: readonly string[], error: unknown): unknown {
  if (!isRagmeshError(error) || error.code !== 'EMBEDDING.TEXT_REFUSED') return error;
  const key = keys[Number(error.details['index'])];
  return key === undefined ? error : new RefusedText(key, error);
}

/** A refusal with the place of its text among those of the caller. */
function placedAmong(keys: readonly string[], error: unknown): unknown {
  if (!(error instanceof RefusedText)) return error;
  const { key, refusal } = error;
  const index = keys.indexOf(key);
  const message = `The embedding model refuses text ${index}.`;
  return new RagmeshError(refusal.code, message, { ...refusal.details, index }, { cause: refusal });
}

function keyOf(model: string, text: string): string {
  return `${NAMESPACE}:${embeddingCacheKey(model, text)}`;
}
