import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type CallScope, GrpcClients } from '@ragmesh/grpc';
import { meanVector } from '../domain/mean-vector.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { CollectionModels } from './collection-models.js';
import { Dependency } from './dependency.js';

/** The vector of a question: float32, little endian, L2-normalised, and the model that made it (`name@revision`). */
export interface QueryVector {
  readonly bytes: Uint8Array;
  readonly model: string;
  /** The model named for the index it is for; nothing for this installation's own. */
  readonly generationModel: string;
}

/** Asks the embedding service. */
@Injectable()
export class QueryEmbedder implements OnModuleDestroy {
  readonly #embedding: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    private readonly models: CollectionModels,
    @Inject(CONFIG) config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_EMBED_TIMEOUT * 1000;
    this.#embedding = new Dependency({ name: 'embedding', unavailable: 'EMBEDDING.UNAVAILABLE', timeoutMs });
  }

  /** One vector for the texts together, by the model of a collection's index: that of the only one, or the mean of theirs. */
  async embed(collection: string, texts: string[], scope: CallScope): Promise<QueryVector> {
    const client = this.clients.of(embeddingV1.EmbeddingService);
    const generationModel = this.models.of(collection);
    const request = { texts, model: generationModel };
    const answer = await this.#embedding.call((options) => client.embed(request, options), scope);
    if (answer.dimension < 1 || answer.vectors.byteLength !== texts.length * answer.dimension * 4) {
      const message = 'The embedding service gave no vector of the length it names.';
      throw new RagmeshError('EMBEDDING.INVALID_VECTOR', message, { dimension: answer.dimension });
    }
    const bytes = texts.length === 1 ? answer.vectors : meanVector(answer.vectors, answer.dimension);
    return { bytes, model: answer.model, generationModel };
  }

  /** Whether the index still wants vectors of that model, as far as is known. */
  isUsable({ generationModel }: QueryVector, collection: string): boolean {
    return generationModel === this.models.of(collection);
  }

  onModuleDestroy(): void {
    this.#embedding.close();
  }
}
