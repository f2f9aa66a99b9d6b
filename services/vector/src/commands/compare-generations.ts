import { Injectable } from '@nestjs/common';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import { GenerationModels } from '../adapters/generation-models.js';
import { GenerationRepository } from '../adapters/generation.repository.js';
import { VectorStore, type DocumentHit, type Question, type Scope } from '../adapters/vector-store.js';
import { compareGenerations, type Comparison } from '../domain/generation-comparison.js';

/** A question and the document it was made from. */
export interface Probe extends Omit<Question, 'topK'> {
  readonly documentId: string;
  /** By the model of the generation readers see, where that is another one. */
  readonly liveVector?: Float32Array;
}

/** What both generations are asked. */
export interface Probes {
  readonly questions: readonly Probe[];
  /** The model that made the vectors, `name@revision`; nothing when that is not said. */
  readonly model: string;
  /** The one that made the vectors for the live generation, where those are others. */
  readonly liveModel: string;
  readonly topK: number;
}

/** Reciprocal rank fusion: the constant of Cormack, Clarke and Büttcher (2009). */
const RRF = 60;

/** Chunks looked at for each document wanted: several of the best may be of one document. */
const CHUNKS_PER_DOCUMENT = 4;

/** Asks a generation and the one readers see the same questions. */
@Injectable()
export class CompareGenerations {
  constructor(
    private readonly store: VectorStore,
    private readonly generations: GenerationRepository,
    private readonly models: GenerationModels,
  ) {}

  /** @throws RagmeshError `EMBEDDING.UNAVAILABLE` when the questions are of another model than the generation. */
  async run(scope: Scope, generation: number, { questions, model, liveModel, topK }: Probes): Promise<Comparison> {
    const live = await this.generations.live(scope);
    if (!(await this.models.isOf(model, scope, generation))) throw madeByAnother(generation);
    const isLiveComparable = await this.models.isOf(liveModel || model, scope, live);
    const compared = [];
    for (const probe of questions) {
      const question = { ...probe, topK: topK * CHUNKS_PER_DOCUMENT };
      const asked = { ...question, vector: probe.liveVector ?? probe.vector };
      compared.push({
        documentId: probe.documentId,
        live: isLiveComparable ? leadingDocuments(await this.askLive(scope, live, asked), topK) : [],
        other: leadingDocuments(await this.askNew(scope, generation, question), topK),
      });
    }
    return compareGenerations(compared);
  }

  /** What readers see may be of another model than the questions: then there is nothing to compare with. */
  private async askLive(scope: Scope, generation: number, question: Question): Promise<readonly DocumentHit[]> {
    try {
      return await this.store.searchIn(scope, generation, question);
    } catch (error) {
      if (isOtherModel(error)) return [];
      throw error;
    }
  }

  /** @throws RagmeshError `EMBEDDING.UNAVAILABLE` for vectors of another length than its own. */
  private async askNew(scope: Scope, generation: number, question: Question): Promise<readonly DocumentHit[]> {
    try {
      return await this.store.searchIn(scope, generation, question);
    } catch (error) {
      throw isOtherModel(error) ? madeByAnother(generation) : error;
    }
  }
}

/** The model that stands in made them: the one of the generation cannot be had now. */
function madeByAnother(generation: number): RagmeshError {
  const message = 'The questions were embedded by another model than the new generation.';
  return new RagmeshError('EMBEDDING.UNAVAILABLE', message, { generation });
}

const isOtherModel = (error: unknown): boolean => isRagmeshError(error) && error.code === 'VECTOR.DIMENSION_MISMATCH';

/** Documents in the order of their best chunk by both legs. */
function leadingDocuments(hits: readonly DocumentHit[], topK: number): string[] {
  const scores = new Map<string, number>();
  const rank = (leg: readonly DocumentHit[]): void =>
    leg.forEach(({ pointId }, at) => scores.set(pointId, (scores.get(pointId) ?? 0) + 1 / (RRF + at + 1)));
  rank(hits.filter(({ lexical }) => lexical > 0).toSorted((a, b) => b.lexical - a.lexical));
  rank(hits.filter(({ dense }) => dense !== undefined).toSorted((a, b) => b.dense! - a.dense!));
  const ranked = hits.toSorted((a, b) => (scores.get(b.pointId) ?? 0) - (scores.get(a.pointId) ?? 0));
  return [...new Set(ranked.map(({ documentId }) => documentId))].slice(0, topK);
}
