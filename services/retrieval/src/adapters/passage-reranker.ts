import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type CallScope, GrpcClients } from '@ragmesh/grpc';
import type { RetrievalConfig } from '../retrieval.config.js';
import { Dependency } from './dependency.js';

/** Passages that one call takes. */
const MAX_PASSAGES = 256;

/** Asks the cross-encoder of the embedding service. */
@Injectable()
export class PassageReranker implements OnModuleDestroy {
  readonly #reranker: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    @Inject(CONFIG) config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_RERANK_TIMEOUT * 1000;
    this.#reranker = new Dependency({ name: 'embedding.rerank', unavailable: 'EMBEDDING.UNAVAILABLE', timeoutMs });
  }

  /** How well each passage answers the question, 0..1, in the order given. */
  async scores(query: string, passages: readonly string[], scope: CallScope): Promise<number[]> {
    const client = this.clients.of(embeddingV1.RerankService);
    const scores: number[] = [];
    while (scores.length < passages.length) {
      const batch = passages.slice(scores.length, scores.length + MAX_PASSAGES);
      const request = { query, passages: batch };
      const answer = await this.#reranker.call((options) => client.rerank(request, options), scope);
      if (answer.scores.length !== batch.length || !answer.scores.every(Number.isFinite))
        throw new RagmeshError('EMBEDDING.UNAVAILABLE', 'The reranker gave no score for each passage.');
      scores.push(...answer.scores);
    }
    return scores;
  }

  onModuleDestroy(): void {
    this.#reranker.close();
  }
}
