import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, LOGGER } from '@ragmesh/bootstrap';
import { asRagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { counter, type Logger } from '@ragmesh/observability';
import { LanguageModels } from '../adapters/language-models.js';
import { totalUsage, usageOfFailure } from '../adapters/spent-usage.js';
import type { ChargedUsage } from '../adapters/usage-ledger.js';
import { questionPrompt } from '../domain/question-prompt.js';
import { questionsIn } from '../domain/question-reply.js';
import { questionShares, type QuestionShare } from '../domain/question-shares.js';
import { extractQuestions } from '../domain/question-set.js';
import type { Question, QuestionOrder } from '../domain/question.js';
import type { Source } from '../domain/source.js';
import type { GenerationConfig } from '../generation.config.js';
import { EXTRACTIVE } from './generate-answer.js';
import { inSteps } from './in-steps.js';
import { newMark } from './write-query.js';

/** An order, and the model to try first: the configured order of models when empty, none when it is `extractive`. */
export interface WantedQuestions extends QuestionOrder {
  readonly model: string;
}

/**
 * `degraded` names `llm` when another model than the first wrote, or questions were made without the model that was wanted,
 * and `questions` when there are none at all: there is no source, or no sentence of them that can be asked about.
 */
export interface QuestionSet {
  readonly questions: readonly Question[];
  readonly model: string;
  readonly usage: ChargedUsage;
  readonly degraded: readonly string[];
}

interface Written {
  readonly questions: readonly Question[];
  readonly model: string;
  readonly usage: ChargedUsage;
  /** Another model than the first one wrote. */
  readonly isFallback: boolean;
}

/** What the calls of one order gave, and what those took that failed. */
interface Calls {
  readonly written: readonly Written[];
  readonly inVain: readonly ChargedUsage[];
}

const NOTHING: Calls = { written: [], inVain: [] };

/** Writes questions by a model where one is configured, and makes what it does not give out of the sources' sentences. */
@Injectable()
export class QuestionWriter {
  constructor(
    private readonly models: LanguageModels,
    @Inject(CONFIG) private readonly config: GenerationConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID for a model that is not configured, REQUEST.CANCELLED. */
  async write(sources: readonly Source[], wanted: WantedQuestions, scope: CallScope): Promise<QuestionSet> {
    const { mode, count } = wanted;
    const isAsked = this.models.isConfigured && wanted.model !== EXTRACTIVE;
    const { written, inVain } = isAsked ? await this.#byModel(sources, wanted, scope) : NOTHING;
    const byModel = distinct(written.flatMap(({ questions }) => questions)).slice(0, count);
    const made = byModel.length < count ? await this.#extracted(sources, wanted, byModel) : [];
    counter('ragmesh_questions_total').inc({ mode, way: 'llm' }, byModel.length);
    counter('ragmesh_questions_total').inc({ mode, way: EXTRACTIVE }, made.length);
    const questions = [...byModel, ...made];
    const isFallback = written.some((part) => part.isFallback) || made.length > 0 || byModel.length === 0;
    const isWanted = isAsked || (wanted.model !== '' && wanted.model !== EXTRACTIVE);
    return {
      questions,
      model: byModel.length > 0 ? written[0]!.model : EXTRACTIVE,
      usage: totalUsage([...written.map(({ usage }) => usage), ...inVain]),
      degraded: [
        ...(isWanted && sources.length > 0 && isFallback ? ['llm'] : []),
        ...(questions.length === 0 ? ['questions'] : []),
      ],
    };
  }

  /** As many as the model left to be made, about other places of the sources than its own. */
  async #extracted(
    sources: readonly Source[],
    order: QuestionOrder,
    byModel: readonly Question[],
  ): Promise<Question[]> {
    const extracted = await inSteps(extractQuestions(sources, order));
    const others = extracted.filter((question) => !byModel.some((other) => areFromOnePlace(question, other)));
    return others.slice(0, order.count - byModel.length);
  }

  /** What each call of a model gave; of a call that fails, only what it took. */
  async #byModel(sources: readonly Source[], wanted: WantedQuestions, scope: CallScope): Promise<Calls> {
    this.models.checkModel(wanted.model);
    const shares = questionShares(sources, wanted.count, this.config.LLM_MAX_TOKENS);
    const results = await Promise.allSettled(shares.map((share) => this.#ask(share, wanted, scope)));
    if (scope.signal.aborted) scope.deadline.throwIfExpired();
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    for (const failure of failures)
      this.logger.warn({ code: asRagmeshError(failure).code }, 'A language model wrote no questions');
    return {
      written: results.flatMap((result) => (result.status === 'fulfilled' ? result.value : [])),
      inVain: failures.flatMap((failure) => usageOfFailure(failure) ?? []),
    };
  }

  async #ask({ sources, offset, count }: QuestionShare, wanted: WantedQuestions, scope: CallScope): Promise<Written> {
    const { text, model, usage, isFallback } = await this.models.complete({
      messages: questionPrompt(sources, { ...wanted, count }, newMark()),
      maxTokens: this.config.LLM_MAX_TOKENS,
      model: wanted.model,
      ...scope,
    });
    const questions = questionsIn(text, sources, wanted.mode).map(({ citation, ...question }) => {
      const source = citation.source + offset;
      return { ...question, citation: { ...citation, source, index: source + 1 } };
    });
    return { questions, model, usage, isFallback };
  }
}

const distinct = (questions: readonly Question[]): Question[] => [
  ...new Map(questions.map((question) => [question.question.toLowerCase(), question])).values(),
];

const areFromOnePlace = ({ citation: a }: Question, { citation: b }: Question): boolean =>
  a.documentId === b.documentId && a.start < b.end && b.start < a.end;
