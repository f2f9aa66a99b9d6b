import { counter, histogram } from '@ragmesh/observability';
import type { SearchMode } from '../domain/search-query.js';

/** Counts and times one search or question; what ends without having succeeded counts as an error. */
export class QueryMeter {
  readonly #started = performance.now();
  #status = 'error';

  constructor(private readonly mode: SearchMode) {}

  /** @param bestScore of its results, when there are any. */
  succeeded(bestScore: number | undefined): void {
    this.#status = 'ok';
    if (bestScore !== undefined) histogram('rag_retrieval_score').observe({ mode: this.mode }, bestScore);
  }

  end(): void {
    const { mode } = this;
    counter('rag_queries_total').inc({ mode, status: this.#status });
    histogram('rag_query_duration_seconds').observe({ mode }, (performance.now() - this.#started) / 1000);
  }
}
