import { create } from '@bufbuild/protobuf';
import { Injectable } from '@nestjs/common';
import { cacheKey, hashOf } from '@ragmesh/cache';
import { generationV1, retrievalV1 } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { Deadline } from '@ragmesh/resilience';
import { ResponseCache, type Reply, type Source, type TagsOf } from '../adapters/response-cache.js';
import { ResultCache, madeFrom } from '../adapters/result-cache.js';
import { FEWER_CHUNKS, halved } from '../domain/halved-query.js';
import type { SearchQuery } from '../domain/search-query.js';
import { RetrievalEvents } from '../publishes/retrieval-events.js';
import { AnswerQuery, type AnswerEvent, type AnswerOptions, type ToSources } from './answer-query.js';
import type { Prepared } from './prepare-search.js';
import { StageTimings } from './stage-timings.js';

/** How an answer is told to its caller. */
export interface Telling {
  readonly toSources: ToSources;
  readonly toReply: (event: AnswerEvent) => Reply;
}

/** Less time than this may be too little for an answer: who has more of his own begins one of his own. */
const SHORT_MS = 10_000;

/** Why a shared answer may fail for one who could wait longer than the one who began it. */
const ofTheFirstCaller = new Set(['REQUEST.CANCELLED', 'REQUEST.TIMEOUT']);

/**
 * Whole answers that were given before are given again; equal questions at the same time become one answer, read by all as
 * it is written. Not in a conversation, where a question changes what is remembered.
 */
@Injectable()
export class CachedAnswer {
  /** Until when each answer under way is written. */
  readonly #deadlines = new WeakMap<object, Deadline>();

  constructor(
    private readonly answerQuery: AnswerQuery,
    private readonly responses: ResponseCache,
    private readonly results: ResultCache,
    private readonly events: RetrievalEvents,
  ) {}

  /** @throws what {@link AnswerQuery.run} throws. */
  async *run(prepared: Prepared, options: AnswerOptions, telling: Telling, scope: CallScope): AsyncGenerator<Reply> {
    const { query } = prepared;
    const began = new StageTimings();
    const joined = this.#isForAll(query, options) ? await this.#join(prepared, options, telling, scope) : undefined;
    if (!joined) {
      yield* this.#write(prepared, options, telling, scope);
      return;
    }
    const { source, isOwn } = joined;
    let results: number | undefined;
    try {
      for await (const reply of repliesOf(source, scope)) {
        if (reply.event.case === 'sources') results = reply.event.value.results.length;
        const isRepeated = !isOwn || 'known' in source;
        if (isRepeated && reply.event.case === 'done') yield this.#again(reply.event.value, query, { results, began });
        else yield reply;
      }
    } catch (error) {
      const isOthers = !isOwn && results === undefined && ofTheFirstCaller.has(asRagmeshError(error).code);
      scope.deadline.throwIfExpired();
      if (!isOthers || scope.signal.aborted) throw error;
      yield* this.#write(prepared, options, telling, scope);
    }
  }

  /**
   * The question to be answered with less work: as it is where its whole answer is there already, else from fewer chunks, which its
   * answer names in `degraded`.
   */
  async lightened(prepared: Prepared, options: AnswerOptions): Promise<Prepared> {
    const query = halved(prepared.query);
    if (!query) return prepared;
    const isShared = this.#isForAll(prepared.query, options);
    if (isShared && (await this.responses.isAtHand(this.#keyOf(prepared, options)))) return prepared;
    return { ...prepared, query, degraded: [...prepared.degraded, FEWER_CHUNKS] };
  }

  /** Whether the next such question of the same reader will find its answer kept. */
  isKept(prepared: Prepared, options: AnswerOptions): Promise<boolean> {
    return this.responses.knows(this.#keyOf(prepared, options));
  }

  #isForAll({ isUnsure }: SearchQuery, { conversationId = '' }: AnswerOptions): boolean {
    return this.responses.isOn && !isUnsure && conversationId === '';
  }

  /** @returns undefined when the answer under way is about to be cut, and this caller has the time to wait for a whole one. */
  async #join(
    prepared: Prepared,
    options: AnswerOptions,
    telling: Telling,
    scope: CallScope,
  ): Promise<{ readonly source: Source; readonly isOwn: boolean } | undefined> {
    let deadline: Deadline | undefined;
    const write = (signal: AbortSignal) => {
      // The time of the first caller, without its cancellation: others may be waiting.
      deadline = Deadline.in(scope.deadline.remainingMs, signal);
      return this.#write(prepared, options, telling, { deadline, signal });
    };
    const found = await this.responses.find(this.#keyOf(prepared, options), write, tagsFor(prepared));
    if ('known' in found.source) return found;
    const { shared } = found.source;
    if (deadline) this.#deadlines.set(shared, deadline);
    const leftMs = this.#deadlines.get(shared)?.remainingMs ?? Infinity;
    const isTooLate = leftMs < Math.min(SHORT_MS, scope.deadline.remainingMs / 2);
    return deadline || !isTooLate ? found : undefined;
  }

  async *#write(
    prepared: Prepared,
    options: AnswerOptions,
    { toSources, toReply }: Telling,
    scope: CallScope,
  ): AsyncGenerator<Reply> {
    for await (const event of this.answerQuery.run(prepared, options, toSources, scope)) yield toReply(event);
  }

  /** An answer that cost its reader nothing says so: it was known, took no time and costs nothing. */
  #again(
    done: retrievalV1.Answered,
    query: SearchQuery,
    { results = 0, began }: { readonly results: number | undefined; readonly began: StageTimings },
  ): Reply {
    const timings: Record<string, number> = { ...began.report(), llm_ms: 0 };
    this.events.queryProcessed(query, { results, totalMs: timings.total_ms!, degraded: done.degraded });
    const { promptTokens = 0, completionTokens = 0 } = done.usage ?? {};
    const usage = create(generationV1.UsageSchema, { promptTokens, completionTokens, cost: 0 });
    const repeated = { timings, usage, writingUsage: undefined, cached: true, answerRepeated: true };
    const value = create(retrievalV1.AnsweredSchema, { ...done, ...repeated });
    return create(retrievalV1.QueryResponseSchema, { event: { case: 'done', value } });
  }

  /**
   * Everything that decides on the answer, and who may see it; also what preparing the question had to do without, which
   * the question as prepared does not show and the answer tells.
   */
  #keyOf({ query, degraded }: Prepared, options: AnswerOptions): string {
    const models = this.results.modelsOf(query);
    return cacheKey('api', 'query', hashOf({ tenant: currentTenant(), query, degraded, models, options }));
  }
}

async function* repliesOf(source: Source, { signal }: CallScope): AsyncGenerator<Reply> {
  yield* 'known' in source ? source.known : source.shared.read(signal);
}

/**
 * An answer that was cut, degraded or fell back is for those who wait for it and for nobody else. One that only goes without
 * what is switched off is the best there is until that changes, and with it the key.
 */
const tagsFor = ({ query: { collection }, switchedOff }: Prepared): TagsOf => {
  const tenant = currentTenant();
  return (replies) => {
    const done = replies.at(-1)?.event;
    if (done?.case !== 'done') return undefined;
    const { incomplete, fallbackUsed, degraded } = done.value;
    if (incomplete || fallbackUsed || degraded.some((step) => !switchedOff.includes(step))) return undefined;
    const sources = replies.flatMap(({ event }) => (event.case === 'sources' ? event.value.results : []));
    const documents = new Set(sources.map(({ source }) => source!.documentId));
    const places = [madeFrom.tenant(tenant), madeFrom.collection(tenant, collection)];
    return [...places, ...[...documents].map((id) => madeFrom.document(tenant, id))];
  };
};
