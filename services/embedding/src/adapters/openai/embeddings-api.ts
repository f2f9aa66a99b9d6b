import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { retryAfterSeconds } from '@ragmesh/resilience';
import type { ProviderCharge } from '../../domain/embedder.js';
import { countTokens } from './token-usage.js';

export interface EmbeddingsApiOptions {
  /** With the version, as in `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  readonly model: string;
  /** Length of vector to ask for. */
  readonly dimensions?: number | undefined;
}

/** One call of an embedder, with as many requests as it takes. */
export interface ProviderCall {
  readonly signal: AbortSignal;
  readonly onCharged?: ((charge: ProviderCharge) => void) | undefined;
}

const REFUSED_TEXT = new Set([400, 413, 422]);

/** One request to an OpenAI-compatible `/embeddings`; every failure is a RagmeshError, and none repeats what was sent. */
export class EmbeddingsApi {
  constructor(private readonly options: EmbeddingsApiOptions) {}

  /**
   * One vector per text, in order, of equal length, as the provider gave them.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE, with `retryAfter` where the provider says; EMBEDDING.TEXT_REFUSED when it refuses
   *   the request for a reason that may lie in its texts.
   */
  async request(texts: readonly string[], { signal, onCharged }: ProviderCall): Promise<number[][]> {
    const { baseUrl, apiKey, model, dimensions } = this.options;
    try {
      const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify({ model, input: texts, encoding_format: 'float', ...(dimensions ? { dimensions } : {}) }),
        redirect: 'error',
        signal,
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw this.#refusal(response);
      }
      const answer: unknown = await response.json();
      const vectors = this.#vectorsOf(answer, texts.length);
      const tokens = countTokens(model, texts, answer);
      onCharged?.({ model, tokens });
      return vectors;
    } catch (error) {
      signal.throwIfAborted();
      if (isRagmeshError(error)) throw error;
      const reason = error instanceof SyntaxError ? 'garbage' : 'connection';
      throw this.#unavailable(
        reason === 'garbage' ? 'gave an answer that is not JSON' : 'cannot be reached',
        { reason },
        error,
      );
    }
  }

  #refusal({ status, headers }: Response): RagmeshError {
    if (REFUSED_TEXT.has(status)) {
      const message = `The provider refuses to embed (${status}).`;
      return new RagmeshError('EMBEDDING.TEXT_REFUSED', message, { status, model: this.options.model });
    }
    const retryAfter = retryAfterSeconds(headers.get('retry-after'), Date.now());
    const details = { status, ...(retryAfter === undefined ? {} : { retryAfter }) };
    const fault =
      status === 401 || status === 403
        ? `refuses the key (${status}); set EMBEDDING_API_KEY or OPENAI_API_KEY`
        : status === 404
          ? `has no such model or route (404); check EMBEDDING_MODEL and EMBEDDING_BASE_URL or OPENAI_BASE_URL`
          : `answered ${status}`;
    return this.#unavailable(fault, details);
  }

  #vectorsOf(answer: unknown, count: number): number[][] {
    const data = (answer as { data?: unknown } | null)?.data;
    if (!Array.isArray(data) || data.length !== count)
      throw this.#unavailable('gave an answer without one vector per text', { reason: 'garbage' });
    const vectors: number[][] = [];
    for (const [at, item] of (data as ({ index?: unknown; embedding?: unknown } | null)[]).entries()) {
      const index = Number(item?.index ?? at);
      if (!Array.isArray(item?.embedding) || !Number.isInteger(index) || index < 0 || index >= count || vectors[index])
        throw this.#unavailable('gave an answer without one vector per text', { reason: 'garbage' });
      vectors[index] = item.embedding as number[];
    }
    return vectors;
  }

  #unavailable(fault: string, details: Record<string, string | number>, cause?: unknown): RagmeshError {
    const { model } = this.options;
    return new RagmeshError(
      'EMBEDDING.UNAVAILABLE',
      `The provider of ${model} ${fault}.`,
      { model, ...details },
      { cause },
    );
  }
}
