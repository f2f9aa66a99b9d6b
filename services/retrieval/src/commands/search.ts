import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import type { Logger } from '@ragmesh/observability';
import { QueryEmbedder } from '../adapters/query-embedder.js';
import { VectorIndex } from '../adapters/vector-index.js';
import type { CallScope } from '../api/call-scope.js';
import { expand, neighboursOf } from '../domain/expansion.js';
import { joinLegs } from '../domain/joiner.js';
import { isCallersOwn, usableLegs, type UsableLegs } from '../domain/leg-outcomes.js';
import { atLeast } from '../domain/min-score.js';
import { rerankByBlend } from '../domain/ranker.js';
import type { FusedPoint, ScoredPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import type { RetrievalConfig } from '../retrieval.config.js';
import { StageTimings } from './stage-timings.js';

/** Candidates a reranker looks at; with a larger `top_k`, that many. */
const RERANK_CANDIDATES = 50;

/** Searches before giving up on an index that changes under them. */
const MAX_ATTEMPTS = 5;

export interface Found {
  /** Best first, at most `top_k`. */
  readonly points: readonly FusedPoint[];
  /** Every fallback taken: dense, lexical, rerank, expand. */
  readonly degraded: readonly string[];
  readonly timings: StageTimings;
}

/** Legs in parallel, then fusion, reranking, cut and expansion. */
@Injectable()
export class Search {
  constructor(
    private readonly embedder: QueryEmbedder,
    private readonly index: VectorIndex,
    private readonly events: RetrievalEvents,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @throws RagmeshError VECTOR.UNAVAILABLE when no leg gave anything, EMBEDDING.UNAVAILABLE in dense mode without a
   * vector, FILTER.* and REQUEST.* as they are.
   */
  async run(query: SearchQuery, scope: CallScope): Promise<Found> {
    const timings = new StageTimings();
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.#attempt(query, scope, timings);
      if (found) return found;
      if (attempt === MAX_ATTEMPTS)
        throw new RagmeshError('VECTOR.UNAVAILABLE', 'The documents changed faster than they could be read.');
    }
  }

  /** Undefined when a document was updated between finding its chunks and reading them: the whole search starts anew. */
  async #attempt(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<Found | undefined> {
    const legs = await this.#legs(query, scope, timings);
    const degraded: string[] = legs.missing ? [legs.missing] : [];
    const joined = timings.measureSync('fuse', () => joinLegs(legs, query));
    const ranked = query.rerank ? this.#rerank(joined, query, timings, degraded) : joined;
    const best = atLeast(ranked, query.minScore).slice(0, query.topK);
    const cut =
      query.mode === 'hybrid' && !legs.missing ? await this.index.withText(query.collection, best, scope) : best;
    if (!cut) return undefined;
    const points = query.expand ? await this.#expand(cut, query, scope, { timings, degraded }) : cut;
    this.events.retrievalCompleted(query, points.length, timings.elapsedMs);
    return { points, degraded, timings };
  }

  async #legs(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<UsableLegs> {
    if (query.mode === 'hybrid') return this.#hybridLegs(query, scope, timings);
    const lexicalLeg = query.mode === 'dense' ? undefined : this.#lexicalLeg(query, scope, timings);
    const denseLeg = query.mode === 'lexical' ? undefined : this.#denseLeg(query, scope, timings);
    const [dense, lexical] = await Promise.all([denseLeg && settled(denseLeg), lexicalLeg && settled(lexicalLeg)]);
    this.#report('dense', dense);
    this.#report('lexical', lexical);
    return usableLegs(dense, lexical);
  }

  /** One call for both legs, so that what either finds is scored by both; where that fails, the lexical leg goes alone. */
  async #hybridLegs(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<UsableLegs> {
    const both = await settled(this.#scoredByBoth(query, scope, timings));
    if (both.status === 'fulfilled') return both.value;
    if (isCallersOwn(both.reason)) throw both.reason;
    this.#report('dense', both);
    return { dense: [], lexical: await this.#lexicalLeg(query, scope, timings), missing: 'dense' };
  }

  async #scoredByBoth(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<UsableLegs> {
    const vector = await timings.measure('embed_query', () => this.embedder.embed(query.text, scope));
    const search = () => this.index.searchHybrid(query, vector, scope);
    const { dense, lexical, lexicalMs } = await timings.measure('vector_search', search);
    timings.note('lexical_search', lexicalMs);
    return { dense, lexical, missing: null };
  }

  async #denseLeg(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<ScoredPoint[]> {
    const vector = await timings.measure('embed_query', () => this.embedder.embed(query.text, scope));
    return timings.measure('vector_search', () => this.index.searchDense(query, vector, scope));
  }

  #lexicalLeg(query: SearchQuery, scope: CallScope, timings: StageTimings): Promise<ScoredPoint[]> {
    return timings.measure('lexical_search', () => this.index.searchLexical(query, scope));
  }

  /** The reranker reads the head of the list only; what follows keeps its order behind it and is not needed. */
  #rerank(points: FusedPoint[], query: SearchQuery, timings: StageTimings, degraded: string[]): FusedPoint[] {
    if (this.config.APP_RERANK_BACKEND === 'disabled') {
      degraded.push('rerank');
      return points;
    }
    const head = points.slice(0, Math.max(RERANK_CANDIDATES, query.topK));
    return timings.measureSync('rerank', () => rerankByBlend(head, this.config.APP_RERANK_ALPHA));
  }

  async #expand(
    points: FusedPoint[],
    query: SearchQuery,
    scope: CallScope,
    { timings, degraded }: { timings: StageTimings; degraded: string[] },
  ): Promise<FusedPoint[]> {
    try {
      const requests = neighboursOf(points).map((wanted) => this.index.neighbours(query.collection, wanted, scope));
      return expand(points, (await timings.measure('expand', () => Promise.all(requests))).flat());
    } catch (error) {
      if (isCallersOwn(error) || scope.deadline.hasExpired) throw error;
      this.logger.warn({ code: asRagmeshError(error).code }, 'Results are not expanded, their neighbours are missing');
      degraded.push('expand');
      return points;
    }
  }

  #report(leg: string, outcome: PromiseSettledResult<unknown> | undefined): void {
    if (outcome?.status !== 'rejected' || isCallersOwn(outcome.reason)) return;
    const { code, details } = asRagmeshError(outcome.reason);
    this.logger.warn({ leg, code, reason: details.reason }, 'A leg of the search failed');
  }
}

async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
  return (await Promise.allSettled([work]))[0];
}
