import { Injectable } from '@nestjs/common';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { AnswerGenerator, type AnswerRequest } from '../adapters/answer-generator.js';
import type { CallScope } from '../api/call-scope.js';
import type { FusedPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { CachedSearch, type CachedFound } from './cached-search.js';

/** What a question asks of the generator beyond its sources. */
export type AnswerOptions = Omit<AnswerRequest, '$typeName' | 'question' | 'sources'>;

/** What a reader of an answer gets, in order: sources, then deltas and citations, then done. */
export type AnswerEvent =
  | { readonly type: 'sources'; readonly points: readonly FusedPoint[] }
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'citation'; readonly citation: generationV1.Citation }
  | {
      readonly type: 'done';
      readonly timings: Record<string, number>;
      readonly degraded: readonly string[];
      /** Whether the sources were known before. */
      readonly cached: boolean;
      readonly completed: generationV1.Completed;
    };

export type ToSources = (points: readonly FusedPoint[]) => AnswerRequest['sources'];

/** Retrieves, then has the answer generated from exactly the sources the reader was shown. */
@Injectable()
export class AnswerQuery {
  constructor(
    private readonly search: CachedSearch,
    private readonly generator: AnswerGenerator,
    private readonly events: RetrievalEvents,
  ) {}

  /** The order of the sources is that of the results, so `[n]` in the answer is result n − 1. */
  async *run(
    query: SearchQuery,
    options: AnswerOptions,
    toSources: ToSources,
    scope: CallScope,
  ): AsyncGenerator<AnswerEvent> {
    const found = await this.search.run(query, scope);
    yield { type: 'sources', points: found.points };
    const request = { ...options, question: query.text, sources: toSources(found.points) };
    const started = performance.now();
    for await (const { event } of this.generator.generate(request, scope)) {
      if (event.case === 'delta') yield { type: 'delta', text: event.value };
      else if (event.case === 'citation') yield { type: 'citation', citation: event.value };
      else if (event.case === 'completed')
        return yield this.#done(query, found, event.value, performance.now() - started);
    }
    throw new RagmeshError('GENERATION.UNAVAILABLE', 'The generation service stopped before its answer was complete.');
  }

  #done(query: SearchQuery, found: CachedFound, completed: generationV1.Completed, llmMs: number): AnswerEvent {
    const degraded = [...new Set([...found.degraded, ...completed.degraded])];
    found.timings.note('llm', llmMs);
    const timings = found.timings.report();
    this.events.queryProcessed(query, { results: found.points.length, totalMs: timings.total_ms!, degraded });
    return { type: 'done', timings, degraded, cached: found.cached, completed };
  }
}
