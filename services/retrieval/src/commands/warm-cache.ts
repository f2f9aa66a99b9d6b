import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import type { SearchFields, SearchQuery } from '../domain/search-query.js';
import { CachedSearch } from './cached-search.js';
import { PrepareSearch } from './prepare-search.js';

/** Searches of one call. */
export const MAX_WARMED = 100;
/** So few at a time that those who wait for an answer hardly notice. */
const AT_ONCE = 2;

export interface Warmed {
  /** Searched now and kept. */
  warmed: number;
  /** Kept already. */
  known: number;
  /** Failed, degraded, or made while what they found changed: not kept. */
  failed: number;
}

/** Makes searches ahead of those who will ask. */
@Injectable()
export class WarmCache {
  constructor(
    private readonly prepare: PrepareSearch,
    private readonly search: CachedSearch,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID before anything is searched, when one of them is wrong. */
  async run(searches: readonly SearchFields[], scope: CallScope): Promise<Warmed> {
    if (searches.length > MAX_WARMED) {
      const message = `The field queries must have at most ${MAX_WARMED} entries.`;
      throw new RagmeshError('REQUEST.INVALID', message, { field: 'queries', limit: MAX_WARMED });
    }
    const waiting: SearchQuery[] = [];
    for (const fields of searches) waiting.push((await this.prepare.from(fields)).query);
    const counts: Warmed = { warmed: 0, known: 0, failed: 0 };
    const worker = async (): Promise<void> => {
      for (let query = waiting.shift(); query; query = waiting.shift()) {
        if (await this.search.isKept(query)) counts.known += 1;
        else if (await this.#keeps(query, scope)) counts.warmed += 1;
        else counts.failed += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return counts;
  }

  async #keeps(query: SearchQuery, scope: CallScope): Promise<boolean> {
    try {
      await this.search.run(query, scope);
      return await this.search.isKept(query);
    } catch (error) {
      scope.deadline.throwIfExpired();
      if (error instanceof RagmeshError && error.retry === 'permanent') throw error;
      return false;
    }
  }
}
