import { Injectable } from '@nestjs/common';
import { currentTenant } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';
import type { CallScope } from '../api/call-scope.js';
import type { FusedPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { Search, type Found } from './search.js';
import { StageTimings } from './stage-timings.js';

export interface CachedFound extends Found {
  /** Whether it was known before. The timings of its stages are 0 then, as when an equal search was under way. */
  readonly cached: boolean;
}

/**
 * Searches that were made before are answered from memory; equal ones at the same time become one. Degraded results are given
 * to those who wait for them and to nobody else.
 */
@Injectable()
export class CachedSearch {
  constructor(
    private readonly search: Search,
    private readonly cache: ResultCache,
    private readonly events: RetrievalEvents,
  ) {}

  /** @throws what {@link Search.run} throws. */
  async run(query: SearchQuery, scope: CallScope): Promise<CachedFound> {
    if (!this.cache.isOn) return { ...(await this.search.run(query, scope)), cached: false };
    const timings = new StageTimings();
    const tenant = currentTenant();
    let own: Found | undefined;
    const search = async (_key: string, signal: AbortSignal) => {
      // The time of the first caller, without its cancellation: others may be waiting.
      const found = await this.search.run(query, { deadline: Deadline.in(scope.deadline.remainingMs, signal), signal });
      own = found;
      const { points, degraded } = found;
      const storable = degraded.length === 0;
      const value = points.length === 0 && storable ? null : { points, degraded };
      return { value, tags: tagsOf(tenant, query.collection, points), storable };
    };
    const results = await this.cache.find(tenant, query, search, scope.signal);
    if (own) return { ...(own as Found), cached: false };
    this.events.retrievalCompleted(query, results.points.length, timings.elapsedMs);
    return { ...results, timings };
  }
}

function tagsOf(tenant: string, collection: string, points: readonly FusedPoint[]): string[] {
  const documents = new Set(points.map(({ documentId }) => documentId));
  return [madeFrom.collection(tenant, collection), ...[...documents].map((id) => madeFrom.document(tenant, id))];
}
