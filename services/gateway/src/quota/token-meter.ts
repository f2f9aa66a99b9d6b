import { Injectable } from '@nestjs/common';
import type { embeddingV1, generationV1, retrievalV1 } from '@ragmesh/contracts';
import type { CallOptions, GrpcClient } from '@ragmesh/grpc';
import { currentContext } from '@ragmesh/observability';
import { Quotas, type Caller } from './quotas.js';

type Retrieval = GrpcClient<typeof retrievalV1.RetrievalService>;
type Questions = GrpcClient<typeof generationV1.QuestionService>;
type Embedding = GrpcClient<typeof embeddingV1.EmbeddingService>;

/** Rule of thumb for what nobody reported: four characters a token. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Clients whose calls spend tokens. Each asks first whether the caller has any left, and is charged for what the service
 * says was used; no route can forget either.
 */
@Injectable()
export class TokenMeter {
  constructor(private readonly quotas: Quotas) {}

  answers(client: Retrieval): Retrieval {
    return {
      ...client,
      query: (request, options) => this.#answer(client, request as QueryRequest, options),
      search: async (request, options) => {
        const asked = { ...request, withoutModels: !asksModel(request) && (await this.#hasNoneLeft()) };
        return this.#spend(
          () => client.search(asked, options),
          ({ usage }) => tokensOf(usage),
          asksModel(request),
        );
      },
      warmCache: (request, options) =>
        this.#spend(
          () => client.warmCache(request, options),
          ({ usage }) => tokensOf(usage),
        ),
    };
  }

  questions(client: Questions): Questions {
    return {
      ...client,
      writeQuestions: (request, options) =>
        this.#spend(
          () => client.writeQuestions(request, options),
          ({ usage }) => tokensOf(usage),
        ),
    };
  }

  embeddings(client: Embedding): Embedding {
    return {
      ...client,
      embed: (request, options) =>
        this.#spend(
          () => client.embed(request, options),
          ({ tokens }) => tokens,
        ),
    };
  }

  async #hasNoneLeft(): Promise<boolean> {
    const caller = currentContext();
    return caller !== undefined && !(await this.quotas.hasTokens(caller));
  }

  /** @param isCertain whether it will spend any; whoever has none left is refused only then. */
  async #spend<T>(call: () => Promise<T>, tokens: (answer: T) => number, isCertain = true): Promise<T> {
    const caller = currentContext();
    if (caller && isCertain) await this.quotas.admitTokens(caller);
    const answer = await call();
    const spent = tokens(answer);
    if (caller && spent > 0) await this.quotas.charge(caller, spent);
    return answer;
  }

  /** Whoever leaves before the end pays an estimate of what was read and written until then. */
  async *#answer(client: Retrieval, request: QueryRequest, options?: CallOptions) {
    const caller = currentContext();
    if (caller) await this.quotas.admitTokens(caller);
    const seen = { characters: 0, hasEnded: false };
    try {
      for await (const message of client.query(request, options)) {
        if (message.event.case === 'done') {
          seen.hasEnded = true;
          if (caller) await this.quotas.charge(caller, spentOn(message.event.value));
        } else seen.characters += charactersOf(message);
        yield message;
      }
    } catch (error) {
      seen.hasEnded ||= !options?.signal?.aborted; // what failed by itself costs the caller nothing
      throw error;
    } finally {
      if (!seen.hasEnded && caller) await this.#chargeEstimate(caller, seen.characters);
    }
  }

  #chargeEstimate(caller: Caller, characters: number): Promise<void> {
    return this.quotas.charge(caller, Math.ceil(characters / CHARACTERS_PER_TOKEN));
  }
}

type QueryRequest = Parameters<Retrieval['query']>[0];
type SearchSteps = Pick<Parameters<Retrieval['search']>[0], 'multiQuery' | 'hyde' | 'selfCheck'>;

/** Whether the request itself wants a language model's help. The defaults of its collection may want it, too: who has no token left goes without. */
const asksModel = ({ multiQuery, hyde, selfCheck }: SearchSteps): boolean => Boolean(multiQuery || hyde || selfCheck);

/** One model call is charged once, however often its answer is given. */
const spentOn = ({ answerRepeated, usage, writingUsage }: retrievalV1.Answered): number =>
  answerRepeated ? 0 : tokensOf(usage) + tokensOf(writingUsage);

const tokensOf = (usage: generationV1.Usage | undefined): number =>
  (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0);

/** What a model read, the sources, or wrote, the text. */
function charactersOf({ event }: retrievalV1.QueryResponse): number {
  if (event.case === 'delta') return event.value.length;
  if (event.case !== 'sources') return 0;
  return event.value.results.reduce((sum, { source }) => sum + (source?.text.length ?? 0), 0);
}
