import { Injectable } from '@nestjs/common';
import type { CallScope } from '@ragmesh/grpc';
import { counter } from '@ragmesh/observability';
import type { AnswerOrigin, KeptAnswer } from '../adapters/answer-cache.js';
import { AnswerCache } from '../adapters/answer-cache.js';
import { LanguageModels } from '../adapters/language-models.js';
import type { ChargedUsage } from '../adapters/usage-ledger.js';
import { beginningOf } from '../domain/answer-beginning.js';
import { answerEvents, textOf, type AnswerEvent } from '../domain/answer-stream.js';
import type { AnswerRequest } from '../domain/answer-request.js';
import { answerExtractively } from '../domain/extractive-answerer.js';
import { upToStop } from '../domain/stop-sequences.js';
import { estimateTokens } from '../domain/token-estimate.js';
import { GenerationEvents } from '../publishes/generation-events.js';
import { ConversationMemory, type Remembered } from './conversation-memory.js';
import { inSteps } from './in-steps.js';
import { WrittenAnswer } from './written-answer.js';

/** What the extractive answerer is called where answers name their model, and by which it can be asked for. */
export const EXTRACTIVE = 'extractive';

/** The end of an answer: who gave it, what it took and which fallbacks were taken. */
export interface CompletedAnswer {
  readonly type: 'completed';
  readonly model: string;
  readonly usage: ChargedUsage;
  readonly degraded: readonly string[];
  readonly llmMs: number;
  readonly incomplete: boolean;
  /** Incomplete only because it may not be longer: it is remembered like a whole one. */
  readonly shortened: boolean;
  readonly fallbackUsed: boolean;
  readonly removedCitations: number;
  readonly removedLinks: number;
  readonly conversationId: string;
}

/** How an answer was come by, without who asked for it. */
export interface Outcome extends Pick<
  CompletedAnswer,
  'model' | 'usage' | 'degraded' | 'incomplete' | 'fallbackUsed' | 'removedCitations' | 'removedLinks'
> {
  readonly isShortened?: boolean;
}

const WITHOUT_MODEL: Outcome = {
  model: EXTRACTIVE,
  usage: { promptTokens: 0, completionTokens: 0 },
  degraded: [],
  incomplete: false,
  fallbackUsed: false,
  removedCitations: 0,
  removedLinks: 0,
};

/**
 * Answers a question from its sources: by the configured models in order; when none begins, by the complete answer the same
 * question got from the same sources before; else by quoting the sources. Without sources no model is asked: it could only
 * invent.
 */
@Injectable()
export class GenerateAnswer {
  constructor(
    private readonly models: LanguageModels,
    private readonly written: WrittenAnswer,
    private readonly memory: ConversationMemory,
    private readonly cache: AnswerCache,
    private readonly events: GenerationEvents,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID, REQUEST.CANCELLED. */
  async *run(request: AnswerRequest, scope: CallScope): AsyncGenerator<AnswerEvent | CompletedAnswer> {
    const started = performance.now();
    if (request.model !== EXTRACTIVE && this.models.isConfigured) this.models.checkModel(request.model);
    const remembered = await this.memory.recall(request);
    const given: AnswerEvent[] = [];
    const { isShortened = false, ...outcome } = yield* recorded(this.#answer(request, remembered, scope), given);
    const isBroken = outcome.incomplete && !isShortened;
    const isKept = isBroken || (await this.memory.keep(request, given, started - request.sourcesAgeMs));
    const llmMs = performance.now() - started;
    const citations = given.filter(({ type }) => type === 'citation').length;
    const { promptTokens, completionTokens } = outcome.usage;
    const { model } = outcome;
    this.events.generationCompleted({ model, citations, promptTokens, completionTokens, totalMs: llmMs });
    const isForgetful = remembered.isMissing || !isKept;
    const degraded = [...outcome.degraded, ...(isForgetful ? ['conversation'] : [])];
    yield {
      type: 'completed',
      ...outcome,
      shortened: isShortened,
      degraded,
      llmMs,
      conversationId: request.conversationId,
    };
  }

  async *#answer(
    request: AnswerRequest,
    { turns: history, tenant }: Remembered,
    scope: CallScope,
  ): AsyncGenerator<AnswerEvent, Outcome> {
    const { question, sources, model, instructions, collection } = request;
    if (sources.length === 0 || model === EXTRACTIVE || !this.models.isConfigured) {
      const isMissing = sources.length > 0 && model !== '' && model !== EXTRACTIVE;
      const degraded = [...(isMissing ? ['llm'] : []), ...(instructions === '' ? [] : ['instructions'])];
      return { ...(yield* quoted(request)), degraded, fallbackUsed: isMissing };
    }
    const wanted = model === '' ? this.models.all[0]!.name : model;
    const origin: AnswerOrigin = { tenant, collection, model: wanted, question, instructions, history, sources };
    const written = yield* this.written.write(request, { history, origin }, scope);
    if (!('isWritten' in written)) return written;
    return { ...(yield* this.#standIn(request, origin)), usage: written.usage };
  }

  async *#standIn(request: AnswerRequest, origin: AnswerOrigin): AsyncGenerator<AnswerEvent, Outcome> {
    const known = await this.#known(request, origin);
    counter('ragmesh_llm_fallbacks_total').inc({ to: known ? 'cached' : EXTRACTIVE });
    if (!known) return { ...(yield* quoted(request)), degraded: ['llm'], fallbackUsed: true };
    yield* known.events;
    return { ...WITHOUT_MODEL, model: known.model, degraded: ['llm', 'cached_answer'], fallbackUsed: true };
  }

  /** The answer given before; not one that is longer than the caller wants it: nobody can say what of it may be left out. */
  async #known({ stop, askedTokens = Infinity }: AnswerRequest, origin: AnswerOrigin): Promise<KeptAnswer | undefined> {
    const kept = await this.cache.find(origin);
    if (!kept) return undefined;
    const events = upToStop(kept.events, stop);
    return estimateTokens(textOf(events)) <= askedTokens ? { ...kept, events } : undefined;
  }
}

/** Quotes the sources; `incomplete` when the caller asked for less than there is. */
async function* quoted({ question, sources, askedTokens, stop }: AnswerRequest): AsyncGenerator<AnswerEvent, Outcome> {
  const { parts } = await inSteps(answerExtractively(question, sources));
  const fitting = askedTokens === undefined ? parts : beginningOf(parts, askedTokens);
  const said = [...answerEvents(fitting)];
  const events = upToStop(said, stop);
  yield* events;
  const isShortened = fitting !== parts && events === said;
  return { ...WITHOUT_MODEL, incomplete: isShortened, isShortened };
}

/** Passes everything on and notes it. */
async function* recorded(
  answer: AsyncGenerator<AnswerEvent, Outcome>,
  given: AnswerEvent[],
): AsyncGenerator<AnswerEvent, Outcome> {
  try {
    for (;;) {
      const { value, done } = await answer.next();
      if (done) return value;
      given.push(value);
      yield value;
    }
  } finally {
    await answer.return(undefined as never);
  }
}
