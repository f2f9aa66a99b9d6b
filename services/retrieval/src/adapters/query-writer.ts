import type { MessageInitShape } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { generationV1 } from '@ragmesh/contracts';
import { type CallOptions, type CallScope, GrpcClients } from '@ragmesh/grpc';
import type { RetrievalConfig } from '../retrieval.config.js';
import { Dependency } from './dependency.js';

/** Share of the caller's time that one call may use, so that the search itself can still be made. */
const SHARE = 0.5;

export type AnswerToVerify = Pick<
  MessageInitShape<typeof generationV1.VerifyAnswerRequestSchema>,
  'question' | 'answer' | 'passages'
>;

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
  async condense(question: string, before: SaidBefore, scope: CallScope): Promise<string> {
    const request = { ...before, question };
    const answer = await this.#call((options) => this.#client.condense(request, options), scope);
    return answer.question.trim() || question;
  }

  /** At most `count` questions that ask the same. */
  async paraphrase(question: string, count: number, scope: CallScope): Promise<string[]> {
    const { questions } = await this.#call((options) => this.#client.paraphrase({ question, count }, options), scope);
    return questions.map((text) => text.trim()).filter((text) => text !== '').slice(0, count); // prettier-ignore
  }

  /** A passage as the answer might read; undefined when the model wrote nothing. */
  async hypothesise(question: string, scope: CallScope): Promise<string | undefined> {
    const { passage } = await this.#call((options) => this.#client.hypothesise({ question }, options), scope);
    return passage.trim() || undefined;
  }

  /** Positions of the passages that support an answer. */
  async grade(question: string, passages: string[], scope: CallScope): Promise<ReadonlySet<number>> {
    const request = { question, passages };
    const { relevant } = await this.#call((options) => this.#client.gradePassages(request, options), scope);
    return new Set(relevant);
  }

  /** Whether what the answer says stands in the passages. */
  async verify(request: AnswerToVerify, scope: CallScope): Promise<boolean> {
    return (await this.#call((options) => this.#client.verifyAnswer(request, options), scope)).supported;
  }

  onModuleDestroy(): void {
    this.#writing.close();
  }

  #call<T>(work: (options: CallOptions) => Promise<T>, { deadline, signal }: CallScope): Promise<T> {
    return this.#writing.call(work, { deadline: deadline.within(deadline.remainingMs * SHARE), signal });
  }

  get #client() {
    return this.clients.of(generationV1.QueryWritingService);
  }
}
