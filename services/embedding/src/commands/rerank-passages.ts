import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { RagmeshError } from '@ragmesh/errors';
import { ModelMemory } from '../adapters/model-memory.js';
import type { EmbeddingConfig } from '../embedding.config.js';

/** Scores in the order of the passages, and which model gave them. */
export interface Judged {
  readonly scores: number[];
  /** `name@revision` */
  readonly model: string;
}

/** Judges passages against a question with the cross-encoder of this installation. */
@Injectable()
export class RerankPassages implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #closing = new AbortController();

  constructor(
    private readonly memory: ModelMemory,
    @Inject(CONFIG) private readonly config: EmbeddingConfig,
  ) {}

  /**
   * From 0 (unrelated) to 1 per passage. Never waits for the model to be loaded: whoever asks has an order already.
   * @throws RagmeshError EMBEDDING.NO_RERANKER without a cross-encoder, EMBEDDING.UNAVAILABLE while it is being loaded or
   *   cannot be.
   */
  async run(query: string, passages: readonly string[], signal: AbortSignal): Promise<Judged> {
    const name = this.config.RERANK_MODEL;
    if (!name) throw new RagmeshError('EMBEDDING.NO_RERANKER', 'No RERANK_MODEL is configured.');
    const question = query.replaceAll('\0', ' ');
    const texts = passages.map((passage) => `${question}\0${passage.replaceAll('\0', ' ')}`);
    const judging = this.memory.useReady(name, async (embedder) => {
      if (embedder.dimension !== 1) throw notCrossEncoder(name);
      const rows = await embedder.embed(texts, { priority: 'query', signal });
      return { scores: rows.map(([score]) => score!), model: embedder.model };
    });
    if (judging) return judging;
    void this.#load(name);
    throw new RagmeshError('EMBEDDING.UNAVAILABLE', 'The reranking model is not loaded.', { reason: 'loading' });
  }

  onApplicationBootstrap(): void {
    if (this.config.RERANK_MODEL) void this.#load(this.config.RERANK_MODEL);
  }

  onApplicationShutdown(): void {
    this.#closing.abort();
  }

  /** A failure is told where models are kept; the next question tries again. */
  async #load(name: string): Promise<void> {
    await this.memory.load(name, { signal: this.#closing.signal }).catch(() => undefined);
  }
}

function notCrossEncoder(name: string): RagmeshError {
  return new RagmeshError('EMBEDDING.NO_RERANKER', `RERANK_MODEL ${name} is not a cross-encoder.`, { model: name });
}
