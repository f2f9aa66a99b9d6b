import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type CallScope, GrpcClients } from '@ragmesh/grpc';
import { meanVector } from '../domain/mean-vector.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { Dependency } from './dependency.js';

/** The vector of a question: float32, little endian, L2-normalised, and the model that made it (`name@revision`). */
export interface QueryVector {
  readonly bytes: Uint8Array;
  readonly model: string;
}

/** Asks the embedding service. */
@Injectable()
export class QueryEmbedder implements OnModuleDestroy {
  readonly #embedding: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    @Inject(CONFIG) config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_EMBED_TIMEOUT * 1000;
    this.#embedding = new Dependency({ name: 'embedding', unavailable: 'EMBEDDING.UNAVAILABLE', timeoutMs });
  }

  /** One vector for the texts together: that of the only one, or the mean of their vectors. */
  async embed(texts: string[], scope: CallScope): Promise<QueryVector> {
    const client = this.clients.of(embeddingV1.EmbeddingService);
    const answer = await this.#embedding.call((options) => client.embed({ texts }, options), scope);
    if (answer.dimension < 1 || answer.vectors.byteLength !== texts.length * answer.dimension * 4) {
      const message = 'The embedding service gave no vector of the length it names.';
      throw new RagmeshError('EMBEDDING.INVALID_VECTOR', message, { dimension: answer.dimension });
    }
    const bytes = texts.length === 1 ? answer.vectors : meanVector(answer.vectors, answer.dimension);
    return { bytes, model: answer.model };
  }

  onModuleDestroy(): void {
    this.#embedding.close();
  }
}
