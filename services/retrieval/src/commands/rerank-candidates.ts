import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { PassageReranker } from '../adapters/passage-reranker.js';
import { VectorIndex } from '../adapters/vector-index.js';
import { comparedCandidates } from '../domain/halved-query.js';
import { rerankByBlend } from '../domain/ranker.js';
import { byScore, type FusedPoint } from '../domain/scored-point.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { OptionalStep } from './optional-step.js';
import type { SearchRun } from './search-run.js';

/** Reads the head of the list again; what follows keeps its order behind it and is not needed. */
@Injectable()
export class RerankCandidates {
  constructor(
    private readonly index: VectorIndex,
    private readonly reranker: PassageReranker,
    private readonly optional: OptionalStep,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
  ) {}

  /** Whether its scores say how well a passage answers, rather than how it compares with the others. */
  get judgesAbsolutely(): boolean {
    return this.config.APP_RERANK_BACKEND === 'cross-encoder';
  }

  /**
   * The head in its new order; undefined, and named in `degraded`, when the reranker failed or had nothing to go by. Where there
   * is none nobody asks.
   */
  async rerank(points: readonly FusedPoint[], run: SearchRun): Promise<FusedPoint[] | undefined> {
    const { APP_RERANK_BACKEND: backend, APP_RERANK_ALPHA: alpha } = this.config;
    const head = points.slice(0, comparedCandidates(run.query));
    if (backend !== 'stub') return this.#byModel(head, run);
    const blended = run.timings.measureSync('rerank', () => rerankByBlend(head, alpha));
    if (!blended) run.degraded.add('rerank');
    return blended;
  }

  async #byModel(head: readonly FusedPoint[], run: SearchRun): Promise<FusedPoint[] | undefined> {
    const { query, scope, timings } = run;
    const read = await this.index.withText(query.collection, head, scope);
    if (read.length === 0) return read;
    const judge = () =>
      this.reranker.scores(
        query.text,
        read.map(({ text }) => text),
        scope,
      );
    const scores = await this.optional.attempt('rerank', run, () => timings.measure('rerank', judge));
    return scores && read.map((point, at) => ({ ...point, score: scores[at]! })).sort(byScore);
  }
}
