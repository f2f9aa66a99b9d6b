import { Injectable } from '@nestjs/common';
import type { CallScope } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';
import type { FusedPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import { NO_TOKENS } from '../domain/spent-tokens.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { Search, type Found } from './search.js';
import { SimilarResults } from './similar-results.js';
import { StageTimings } from './stage-timings.js';

export interface CachedFound extends Found {
  /** Whether it was known before. The timings of its stages are 0 then, as when an equal search was under way. */
  readonly cached: boolean;
}

/**
 * Searches that were made before are answered from memory; equal ones at the same time become one, and similar ones too where
 * that is configured. Degraded results are given to those who wait for them and to nobody else.
 */
@Injectable()
export class CachedSearch {
  constructor(
    private readonly search: Search,
    private readonly cache: ResultCache,
    private readonly similar: SimilarResults,
    private readonly events: RetrievalEvents,
  ) {}

  /** @throws what {@link Search.run} throws. */
  async run(query: SearchQuery, scope: CallScope): Promise<CachedFound> {
    if (!this.cache.isOn) return { ...(await this.search.run(query, scope)), cached: false };
    if (query.isUnsure) return this.#unsure(query, scope);
    const timings = new StageTimings();
    const tenant = currentTenant();
    let own: Found | undefined;
    const compute = async (key: string, signal: AbortSignal) => {
      // The time of the first caller, without its cancellation: others may be waiting.
      const shared = { deadline: Deadline.in(scope.deadline.remainingMs, signal), signal };
      const likeness = this.similar.covers(query) ? await this.similar.find(tenant, query, shared) : undefined;
      // Not kept under a second key: it would outlive evictions that this process has not heard of yet.
      if (likeness?.results) return { value: { ...likeness.results, similar: true }, storable: false };
      const found = await this.search.run(query, shared, likeness?.vector);
      own = found;
      const { timings: _timings, spent: _spent, ...results } = found;
      const storable = results.degraded.length === 0;
      if (storable) likeness?.remember(key);
      const isNothing = results.points.length === 0 && storable && !query.explain;
      return { value: isNothing ? null : results, tags: tagsOf(tenant, query.collection, results.points), storable };
    };
    const results = await this.cache.find(this.cache.keyOf(tenant, query), compute, scope.signal);
    if (own) return { ...(own as Found), cached: false };
    this.events.retrievalCompleted(query, results.points.length, timings.elapsedMs);
    return { ...results, timings, spent: NO_TOKENS };
  }

  /** What was kept is given; what is found now is not kept, since it may be of something else by now. */
  async #unsure(query: SearchQuery, scope: CallScope): Promise<CachedFound> {
    const timings = new StageTimings();
    const kept = await this.cache.known(this.cache.keyOf(currentTenant(), query));
    if (!kept) return { ...(await this.search.run(query, scope)), cached: false };
    this.events.retrievalCompleted(query, kept.points.length, timings.elapsedMs);
    return { ...kept, timings, spent: NO_TOKENS, cached: true };
  }

  /** Whether the next such search of the tenant will find its results kept. */
  isKept(query: SearchQuery): Promise<boolean> {
    return this.cache.knows(this.cache.keyOf(currentTenant(), query));
  }
}

function tagsOf(tenant: string, collection: string, points: readonly FusedPoint[]): string[] {
  const documents = new Set(points.map(({ documentId }) => documentId));
  const places = [madeFrom.tenant(tenant), madeFrom.collection(tenant, collection)];
  return [...places, ...[...documents].map((id) => madeFrom.document(tenant, id))];
}
