import { Injectable } from '@nestjs/common';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { AnswerGenerator, type AnswerRequest } from '../adapters/answer-generator.js';
import type { FusedPoint } from '../domain/scored-point.js';
import type { SearchQuery } from '../domain/search-query.js';
import { SpentTokens, type Tokens } from '../domain/spent-tokens.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { CachedSearch, type CachedFound } from './cached-search.js';
import type { Prepared } from './prepare-search.js';
import { QuestionInContext } from './question-in-context.js';
import { SelfCheck } from './self-check.js';

/** What a question asks of the generator beyond its sources. */
export type AnswerOptions = Omit<AnswerRequest, '$typeName' | 'question' | 'sources' | 'sourcesAgeMs'>;

/** What a reader of an answer gets, in order: sources, then deltas and citations, then done. */
export type AnswerEvent =
  | { readonly type: 'sources'; readonly found: CachedFound }
  | { readonly type: 'delta'; readonly text: string }
  | { readonly type: 'citation'; readonly citation: generationV1.Citation }
  | {
      readonly type: 'done';
      readonly timings: Record<string, number>;
      readonly degraded: readonly string[];
      /** Whether the sources were known before. */
      readonly cached: boolean;
      /** With a self-check that could be made: whether the sources support the answer. */
      readonly supported: boolean | undefined;
      readonly completed: generationV1.Completed;
      /** By language models beside the answer. */
      readonly spent: Tokens;
    };

export type ToSources = (points: readonly FusedPoint[]) => AnswerRequest['sources'];

/** One question under way. */
interface Asked {
  readonly question: string;
  /** Its search; in a conversation, for what the question means there. */
  readonly query: SearchQuery;
  readonly scope: CallScope;
  readonly degraded: Set<string>;
  readonly spent: SpentTokens;
  readonly condenseMs: number;
}

/** Retrieves, then has the answer generated from exactly the sources the reader was shown. */
@Injectable()
export class AnswerQuery {
  constructor(
    private readonly search: CachedSearch,
    private readonly generator: AnswerGenerator,
    private readonly context: QuestionInContext,
    private readonly selfCheck: SelfCheck,
    private readonly events: RetrievalEvents,
  ) {}

  /** The order of the sources is that of the results, so `[n]` in the answer is result n − 1. */
  async *run(
    { query, degraded }: Prepared,
    options: AnswerOptions,
    toSources: ToSources,
    scope: CallScope,
  ): AsyncGenerator<AnswerEvent> {
    const asked = await this.#inContext(query, options, {
      scope,
      degraded: new Set(degraded),
      spent: new SpentTokens(),
    });
    const found = await this.search.run(asked.query, scope);
    yield { type: 'sources', found };
    const { collection } = asked.query;
    const sourcesAgeMs = Math.max(0, Date.now() - found.readAt); // the reader may have taken his time
    const sources = toSources(found.points);
    const request = { ...options, collection, question: asked.question, sources, sourcesAgeMs };
    const started = performance.now();
    const answer: string[] = [];
    for await (const { event } of this.generator.generate(request, scope)) {
      if (event.case === 'delta') {
        if (query.selfCheck) answer.push(event.value);
        yield { type: 'delta', text: event.value };
      } else if (event.case === 'citation') yield { type: 'citation', citation: event.value };
      else if (event.case === 'completed') {
        found.timings.note('llm', performance.now() - started);
        return yield await this.#done(asked, found, event.value, answer.join(''));
      }
    }
    throw new RagmeshError('GENERATION.UNAVAILABLE', 'The generation service stopped before its answer was complete.');
  }

  /** In a conversation a question may lean on those before it; it is then searched as what it means. */
  async #inContext(
    query: SearchQuery,
    { conversationId = '', history = [] }: AnswerOptions,
    run: Pick<Asked, 'scope' | 'degraded' | 'spent'>,
  ): Promise<Asked> {
    const asked = { ...run, question: query.text, query, condenseMs: 0 };
    if (conversationId === '' && history.length === 0) return asked;
    const started = performance.now();
    const text = await this.context.standalone(query.text, { conversationId, history }, run);
    return { ...asked, query: { ...query, text }, condenseMs: performance.now() - started };
  }

  async #done(
    { question, query, scope, degraded, spent, condenseMs }: Asked,
    found: CachedFound,
    completed: generationV1.Completed,
    answer: string,
  ): Promise<AnswerEvent> {
    const { timings, points, cached } = found;
    if (condenseMs > 0) timings.note('condense', condenseMs);
    const run = { scope, spent, degraded: new Set([...degraded, ...found.degraded, ...completed.degraded]) };
    spent.add(found.spent);
    const passages = points.map(({ text }) => text);
    const verified = query.selfCheck ? await this.selfCheck.ofAnswer(question, answer, passages, run) : undefined;
    const supported = found.supported === false ? false : verified;
    const report = timings.report();
    const facts = { results: points.length, totalMs: report.total_ms!, degraded: [...run.degraded] };
    this.events.queryProcessed(query, facts);
    const outcome = { degraded: facts.degraded, cached, supported, completed, spent: spent.sum };
    return { type: 'done', timings: report, ...outcome };
  }
}
