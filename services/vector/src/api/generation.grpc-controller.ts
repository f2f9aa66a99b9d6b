import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { vectorV1 } from '@ragmesh/contracts';
import { currentTenant } from '@ragmesh/observability';
import { GenerationProgress } from '../adapters/generation-progress.repository.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { VectorStore, type Scope } from '../adapters/vector-store.js';
import { CompareGenerations } from '../commands/compare-generations.js';
import { ShowGeneration } from '../commands/show-generation.js';
import { queryVectorOf } from './vector.grpc-mapper.js';

type State = MessageInitShape<typeof vectorV1.GenerationStateSchema>;
type Comparison = MessageInitShape<typeof vectorV1.CompareGenerationsResponseSchema>;

/** Making a collection's index anew beside the one readers see. Each call is safe to repeat. */
@Controller()
export class GenerationGrpcController {
  constructor(
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
    private readonly progress: GenerationProgress,
    private readonly showing: ShowGeneration,
    private readonly comparing: CompareGenerations,
  ) {}

  @GrpcMethod('VectorService', 'OpenGeneration')
  async open(request: vectorV1.GenerationRef): Promise<{ live: number }> {
    const scope = scopeOf(request);
    await this.generations.open(scope, request.generation, request.model || null);
    return { live: await this.generations.live(scope) };
  }

  @GrpcMethod('VectorService', 'GetGeneration')
  async get({ collection, generation, after, limit }: vectorV1.GetGenerationRequest): Promise<State> {
    const scope = scopeOf({ collection });
    const live = await this.generations.live(scope);
    const state = await this.progress.state(scope, generation, after);
    const missing = limit === 0 ? [] : await this.progress.missing(scope, generation, after, limit);
    const points = limit === 0 ? await this.progress.points(scope, generation) : 0;
    return {
      live,
      documents: BigInt(state.documents),
      complete: BigInt(live === generation ? state.documents : state.complete),
      behind: BigInt(live === generation ? 0 : state.behind),
      points: BigInt(points),
      missing: live === generation ? [] : missing.map((one) => ({ ...one, version: BigInt(one.version) })),
    };
  }

  @GrpcMethod('VectorService', 'CompareGenerations')
  async compare(request: vectorV1.CompareGenerationsRequest): Promise<Comparison> {
    const { generation, model, liveModel, topK } = request;
    const questions = request.questions.map((one) => ({
      documentId: one.documentId,
      text: one.text,
      vector: queryVectorOf(one),
      ...(one.liveVector.length === 0 ? {} : { liveVector: queryVectorOf({ vector: one.liveVector }) }),
    }));
    const asked = { questions, model, liveModel, topK };
    const compared = await this.comparing.run(scopeOf(request), generation, asked);
    return { ...compared, questions: questions.length };
  }

  @GrpcMethod('VectorService', 'ShowGeneration')
  async show(request: vectorV1.GenerationRef): Promise<{ missing: bigint }> {
    return { missing: BigInt(await this.showing.run(scopeOf(request), request.generation)) };
  }

  @GrpcMethod('VectorService', 'DropGeneration')
  async drop(request: vectorV1.GenerationRef): Promise<object> {
    await this.store.drop(scopeOf(request), request.generation);
    return {};
  }
}

const scopeOf = ({ collection }: { readonly collection: string }): Scope => ({ tenant: currentTenant(), collection });
