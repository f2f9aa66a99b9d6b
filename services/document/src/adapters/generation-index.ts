import { Injectable } from '@nestjs/common';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { embeddingV1, vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { GuardedClients, type GrpcClient } from '@ragmesh/grpc';
import type { Leftover } from './generation.repository.js';

const DEADLINE = { deadlineMs: 15_000 };
/** Comparing asks many questions in one call. */
const LONG_DEADLINE = { deadlineMs: 120_000 };

/** Vectors as bytes, and the model that made them, `name@revision`. */
export interface EmbeddedTexts {
  readonly vectors: readonly Uint8Array[];
  readonly model: string;
}

/**
 * The part of the vector service that makes an index anew, and the model that turns questions into vectors. A `signal` ends the
 * call early.
 */
@Injectable()
export class GenerationIndex {
  readonly #embedding: GrpcClient<typeof embeddingV1.EmbeddingService>;
  readonly #vector: GrpcClient<typeof vectorV1.VectorService>;

  constructor(clients: GuardedClients) {
    this.#embedding = clients.of(embeddingV1.EmbeddingService);
    this.#vector = clients.of(vectorV1.VectorService);
  }

  async open({ collection, generation }: Leftover, model: string | null, signal: AbortSignal): Promise<void> {
    await this.#vector.openGeneration({ collection, generation, model: model ?? '' }, { ...DEADLINE, signal });
  }

  /** @param limit 0: no missing documents are listed, and points are counted instead. */
  state(
    { collection, generation }: Leftover,
    after: string,
    limit: number,
    signal?: AbortSignal,
  ): Promise<vectorV1.GenerationState> {
    return this.#vector.getGeneration(
      { collection, generation, after, limit },
      { ...DEADLINE, ...(signal && { signal }) },
    );
  }

  compare(
    request: MessageInitShape<typeof vectorV1.CompareGenerationsRequestSchema>,
    signal: AbortSignal,
  ): Promise<vectorV1.CompareGenerationsResponse> {
    return this.#vector.compareGenerations(request, { ...LONG_DEADLINE, signal });
  }

  /** @returns how many documents it lacks; 0: readers see it now. */
  async show({ collection, generation }: Leftover, signal: AbortSignal): Promise<number> {
    const { missing } = await this.#vector.showGeneration({ collection, generation }, { ...LONG_DEADLINE, signal });
    return Number(missing);
  }

  async drop({ collection, generation }: Leftover): Promise<void> {
    await this.#vector.dropGeneration({ collection, generation }, LONG_DEADLINE);
  }

  /**
   * What a model is called with its revision.
   * @throws RagmeshError `MODEL.NOT_FOUND` for one that is not here, `REQUEST.INVALID` for one that makes no vectors.
   */
  async modelNamed(name: string): Promise<string> {
    const { model, dimension } = await this.#embedding.embed({ texts: ['model'], model: name }, LONG_DEADLINE);
    if (dimension > 1) return model;
    throw new RagmeshError('REQUEST.INVALID', `The model ${model} makes no vectors of texts.`, { field: 'model' });
  }

  /** One vector for each text. @param model null: the one this installation embeds with, or that stands in for it. */
  async embed(texts: readonly string[], model: string | null, signal: AbortSignal): Promise<EmbeddedTexts> {
    const request = { texts: [...texts], model: model ?? '' };
    const answer = await this.#embedding.embed(request, { ...LONG_DEADLINE, signal });
    const size = answer.dimension * Float32Array.BYTES_PER_ELEMENT;
    return { vectors: texts.map((_, at) => answer.vectors.subarray(at * size, (at + 1) * size)), model: answer.model };
  }
}
