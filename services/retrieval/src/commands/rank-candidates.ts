import { Injectable } from '@nestjs/common';
import { IndexChanged, VectorIndex } from '../adapters/vector-index.js';
import { explain, named, unreadIn, type Explanation, type SearchSteps } from '../domain/explanation.js';
import { comparedCandidates } from '../domain/halved-query.js';
import { joinLegs } from '../domain/joiner.js';
import type { UsableLegs } from '../domain/leg-outcomes.js';
import { reaches } from '../domain/min-score.js';
import { diversify } from '../domain/mmr.js';
import { fuseLists } from '../domain/rank-lists.js';
import type { FusedPoint } from '../domain/scored-point.js';
import { RerankCandidates } from './rerank-candidates.js';
import { SearchLegs, type Wording } from './search-legs.js';
import type { SearchRun } from './search-run.js';

/** What one pass of a search found and left. */
export type Candidates = Pick<SearchSteps, 'legs' | 'fused' | 'reranked' | 'least' | 'cut'>;

/** Legs of every wording in parallel, then fusion, reranking and the cut. */
@Injectable()
export class RankCandidates {
  constructor(
    private readonly legs: SearchLegs,
    private readonly index: VectorIndex,
    private readonly reranker: RerankCandidates,
  ) {}

  /** @throws IndexChanged when the index changed between two wordings, or a document between finding its chunks and reading them. */
  async rank(run: SearchRun, wordings: readonly [Wording, ...Wording[]]): Promise<Candidates> {
    const { query, timings } = run;
    const [first, ...more] = wordings;
    const legs = await this.legs.find(run, first);
    const others = more.length === 0 ? [] : await Promise.all(more.map((wording) => this.legs.find(run, wording)));
    if (new Set([legs, ...others].flatMap(({ generation }) => generation ?? [])).size > 1)
      throw new IndexChanged('Readers were changed over to another making of the index between two wordings');
    for (const { missing, secondStore } of [legs, ...others]) {
      if (missing) run.degraded.add(missing);
      if (secondStore) run.degraded.add('store');
    }
    const join = (one: UsableLegs): FusedPoint[] => joinLegs(one, query);
    const fused = timings.measureSync('fuse', () => fuseLists([join(legs), ...others.map(join)]));
    const reranked = query.rerank ? await this.reranker.rerank(fused, run) : undefined;
    const isFused = query.mode === 'hybrid' || others.length > 0;
    const isRelative = isFused && !(reranked && this.reranker.judgesAbsolutely);
    const least = { minScore: query.minScore, isRelative };
    const fitting = (reranked ?? fused).filter((point) => reaches(point, least));
    return { legs: [legs, ...others], fused, reranked, least, cut: await this.#cut(fitting, run) };
  }

  /** What was dropped is named as readers know it, also where nobody had to read it. */
  async explain(steps: SearchSteps, { query, scope }: SearchRun): Promise<Explanation> {
    const explanation = explain(steps, query);
    return named(explanation, await this.index.chunkIds(query.collection, unreadIn(explanation), scope));
  }

  async #cut(points: readonly FusedPoint[], { query, scope }: SearchRun): Promise<FusedPoint[]> {
    const { mmr, topK, collection } = query;
    if (mmr === undefined) return this.index.withText(collection, points.slice(0, topK), scope);
    const head = points.slice(0, comparedCandidates(query));
    return diversify(await this.index.withText(collection, head, scope), mmr, topK);
  }
}
