import { Injectable } from '@nestjs/common';
import { isRagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { counter } from '@ragmesh/observability';
import { AnswerCache, type AnswerOrigin } from '../adapters/answer-cache.js';
import { LanguageModels, type ChatEvent } from '../adapters/language-models.js';
import { usageOfFailure } from '../adapters/spent-usage.js';
import type { ChargedUsage } from '../adapters/usage-ledger.js';
import { AnswerFilter } from '../domain/answer-filter.js';
import type { AnswerRequest } from '../domain/answer-request.js';
import type { AnswerEvent } from '../domain/answer-stream.js';
import { buildPrompt, withinLimit } from '../domain/prompt-builder.js';
import type { Turn } from '../domain/turn.js';
import type { Outcome } from './generate-answer.js';
import { newMark } from './write-query.js';

/** What an answer is written from beyond its request. */
export interface Background {
  readonly history: readonly Turn[];
  readonly origin: AnswerOrigin;
}

/** Models were asked, and none began. */
export interface InVain {
  readonly isWritten: false;
  readonly usage: ChargedUsage;
}

const NO_USAGE: ChargedUsage = { promptTokens: 0, completionTokens: 0 };

/** Has an answer written by a language model and checks it on its way to the reader. */
@Injectable()
export class WrittenAnswer {
  constructor(
    private readonly models: LanguageModels,
    private readonly cache: AnswerCache,
  ) {}

  /**
   * @returns how it went; only what it took when no model began an answer, so that something else may stand in.
   * @throws RagmeshError REQUEST.CANCELLED.
   */
  async *write(
    request: AnswerRequest,
    { history, origin }: Background,
    scope: CallScope,
  ): AsyncGenerator<AnswerEvent, Outcome | InVain> {
    const { question, instructions, maxTokens, temperature, model, stop } = request;
    const sources = withinLimit(request.sources);
    const messages = buildPrompt({ question, instructions, sources, history, mark: newMark() });
    const call = { messages, maxTokens, model, stop, ...(temperature === undefined ? {} : { temperature }), ...scope };
    const filter = new AnswerFilter(question, sources);
    const given: AnswerEvent[] = [];
    let by = { model: '', isFallback: false };
    try {
      for await (const event of this.models.chat(call)) {
        if (event.type === 'begun') by = event;
        for (const shown of shownOf(event, filter)) {
          given.push(shown);
          yield shown;
        }
        if (event.type !== 'end') continue;
        const isAll = event.isWhole && stop.length === 0; // a model does not tell whether it ended at one
        if (isAll && !by.isFallback && event.ignored.length === 0)
          await this.cache.keep(origin, { model: by.model, events: given });
        return outcomeOf(event, by, filter);
      }
    } catch (error) {
      if (isRagmeshError(error) && error.retry === 'transient' && !scope.signal.aborted)
        return { isWritten: false, usage: usageOfFailure(error) ?? NO_USAGE };
      throw error;
    }
    return { isWritten: false, usage: NO_USAGE };
  }
}

function shownOf(event: ChatEvent, filter: AnswerFilter): AnswerEvent[] {
  if (event.type === 'text') return filter.push(event.text);
  return event.type === 'end' ? filter.end() : [];
}

function outcomeOf(
  { isWhole, isShortened, usage, ignored }: ChatEvent & { type: 'end' },
  { model, isFallback }: { model: string; isFallback: boolean },
  { removedCitations, removedLinks }: AnswerFilter,
): Outcome {
  counter('ragmesh_llm_removed_total').inc({ kind: 'citation' }, removedCitations);
  counter('ragmesh_llm_removed_total').inc({ kind: 'link' }, removedLinks);
  if (isFallback) counter('ragmesh_llm_fallbacks_total').inc({ to: 'model' });
  const isBroken = !isWhole && !isShortened;
  const degraded = [...(isFallback || isBroken ? ['llm'] : []), ...ignored];
  const end = { incomplete: !isWhole, isShortened, fallbackUsed: isFallback };
  return { model, usage, degraded, ...end, removedCitations, removedLinks };
}
