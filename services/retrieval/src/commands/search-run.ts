import type { CallScope } from '@ragmesh/grpc';
import type { QueryVector } from '../adapters/query-embedder.js';
import type { SearchQuery } from '../domain/search-query.js';
import { SpentTokens } from '../domain/spent-tokens.js';
import { StageTimings } from './stage-timings.js';

/** One search under way: what was asked, for how long it is of use, and what it took and went without so far. */
export class SearchRun {
  readonly timings = new StageTimings();
  /** Every fallback taken: store, dense, lexical, rerank, expand, parent, multi_query, hyde, self_check. */
  readonly degraded = new Set<string>();
  readonly spent = new SpentTokens();

  /** @param vector of the question, where it was asked for already. */
  constructor(
    readonly query: SearchQuery,
    readonly scope: CallScope,
    readonly vector?: Promise<QueryVector>,
  ) {}
}
