import type { MessageInitShape } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { generationV1 } from '@ragmesh/contracts';
import { asRagmeshError } from '@ragmesh/errors';
import { type CallOptions, type CallScope, GrpcClients } from '@ragmesh/grpc';
import type { RetrievalConfig } from '../retrieval.config.js';
import type { SpentTokens, Tokens } from '../domain/spent-tokens.js';
import { Dependency } from './dependency.js';

/** For what something is written: how long it is of use, and where what it took is noted. */
export interface Writing {
  readonly scope: CallScope;
  readonly spent: SpentTokens;
}

/** Share of the caller's time that one call may use, so that the search itself can still be made. */
const SHARE = 0.5;

export type AnswerToVerify = Pick<
  MessageInitShape<typeof generationV1.VerifyAnswerRequestSchema>,
  'question' | 'answer' | 'passages'
>;

/** What a model said of passages, the best first. */
export interface Grades {
  /** Positions, from 0, of those that support an answer. */
  readonly relevant: ReadonlySet<number>;
  /** How many it was shown, from the first. */
  readonly judged: number;
}

/** The messages before a question, or the conversation that remembers them. */
export type SaidBefore = Pick<
  MessageInitShape<typeof generationV1.CondenseRequestSchema>,
  'conversationId' | 'history'
>;

/**
 * Has a language model write and judge for a search, in the generation service. Every call fails where no provider is
 * configured (GENERATION.NO_PROVIDER), late or away (GENERATION.UNAVAILABLE), and the search goes on without it.
 */
@Injectable()
export class QueryWriter implements OnModuleDestroy {
  readonly #writing: Dependency;

  constructor(
    private readonly clients: GrpcClients,
    @Inject(CONFIG) config: RetrievalConfig,
  ) {
    const timeoutMs = config.SEARCH_WRITING_TIMEOUT * 1000;
    this.#writing = new Dependency({ name: 'generation.writing', unavailable: 'GENERATION.UNAVAILABLE', timeoutMs });
  }

  /** The question so that it can be understood without its conversation. */
  async condense(question: string, before: SaidBefore, writing: Writing): Promise<string> {
    const request = { ...before, question };
    const answer = await this.#call((options) => this.#client.condense(request, options), writing);
    return answer.question.trim() || question;
  }

  /** At most `count` questions that ask the same. */
  async paraphrase(question: string, count: number, writing: Writing): Promise<string[]> {
    const { questions } = await this.#call((options) => this.#client.paraphrase({ question, count }, options), writing);
    return questions.map((text) => text.trim()).filter((text) => text !== '').slice(0, count); // prettier-ignore
  }

  /** A passage as the answer might read; undefined when the model wrote nothing. */
  async hypothesise(question: string, writing: Writing): Promise<string | undefined> {
    const { passage } = await this.#call((options) => this.#client.hypothesise({ question }, options), writing);
    return passage.trim() || undefined;
  }

  /** Which passages support an answer. */
  async grade(question: string, passages: string[], writing: Writing): Promise<Grades> {
    const request = { question, passages };
    const grades = await this.#call((options) => this.#client.gradePassages(request, options), writing);
    return { relevant: new Set(grades.relevant), judged: grades.judged ?? passages.length };
  }

  /** Whether what the answer says stands in the passages. */
  async verify(request: AnswerToVerify, writing: Writing): Promise<boolean> {
    return (await this.#call((options) => this.#client.verifyAnswer(request, options), writing)).supported;
  }

  onModuleDestroy(): void {
    this.#writing.close();
  }

  async #call<T extends { readonly usage?: Tokens }>(
    work: (options: CallOptions) => Promise<T>,
    { scope: { deadline, signal }, spent }: Writing,
  ): Promise<T> {
    const part = { deadline: deadline.within(deadline.remainingMs * SHARE), signal };
    const answer = await this.#writing.call(work, part).catch((error: unknown) => {
      spent.add(tokensOfFailure(error));
      throw error;
    });
    spent.add(answer.usage);
    return answer;
  }

  get #client() {
    return this.clients.of(generationV1.QueryWritingService);
  }
}

/** What was written in vain took tokens, too. */
function tokensOfFailure(error: unknown): Tokens | undefined {
  const { promptTokens, completionTokens, cost } = asRagmeshError(error).details;
  if (typeof promptTokens !== 'number' || typeof completionTokens !== 'number') return undefined;
  return { promptTokens, completionTokens, ...(typeof cost === 'number' ? { cost } : {}) };
}
