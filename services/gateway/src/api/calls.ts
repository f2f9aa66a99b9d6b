import type { MessageInitShape } from '@bufbuild/protobuf';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { documentV1, embeddingV1, generationV1, knowledgeV1, modelV1, retrievalV1 } from '@ragmesh/contracts';
import { GuardedClients, type CallOptions, type GrpcClient } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../gateway.config.js';
import { scopeOf } from '../http/request-scope.js';
import { TokenMeter } from '../quota/token-meter.js';

type Retrieval = GrpcClient<typeof retrievalV1.RetrievalService>;
type Question = MessageInitShape<typeof retrievalV1.QueryRequestSchema>;

/** Calls of the services behind the edge, each within its request's time and ended when its client leaves. */
@Injectable()
export class Calls {
  readonly documents: GrpcClient<typeof documentV1.DocumentService>;
  readonly knowledge: GrpcClient<typeof knowledgeV1.KnowledgeService>;
  readonly keys: GrpcClient<typeof knowledgeV1.KeyService>;
  readonly flags: GrpcClient<typeof knowledgeV1.FlagService>;
  /** Answers are asked for by `ask`, which knows how full the edge is. */
  readonly retrieval: Omit<Retrieval, 'query'>;
  readonly embedding: GrpcClient<typeof embeddingV1.EmbeddingService>;
  /** For what the server asks for itself, at no caller's cost. */
  readonly ownEmbedding: GrpcClient<typeof embeddingV1.EmbeddingService>;
  readonly models: GrpcClient<typeof modelV1.ModelService>;
  /** Answers are asked of retrieval, where they are metered. */
  readonly generation: Pick<GrpcClient<typeof generationV1.GenerationService>, 'listLanguageModels' | 'clearAnswers'>;
  readonly conversations: GrpcClient<typeof generationV1.ConversationService>;
  readonly questions: GrpcClient<typeof generationV1.QuestionService>;
  readonly usage: GrpcClient<typeof generationV1.UsageService>;
  readonly #answers: Pick<Retrieval, 'query'>;

  constructor(
    clients: GuardedClients,
    @Inject(CONFIG) private readonly config: GatewayConfig,
    meter: TokenMeter,
  ) {
    this.documents = clients.of(documentV1.DocumentService);
    this.knowledge = clients.of(knowledgeV1.KnowledgeService);
    this.keys = clients.of(knowledgeV1.KeyService);
    this.flags = clients.of(knowledgeV1.FlagService);
    const retrieval = meter.answers(clients.of(retrievalV1.RetrievalService));
    this.retrieval = retrieval;
    this.#answers = retrieval;
    this.ownEmbedding = clients.of(embeddingV1.EmbeddingService);
    this.embedding = meter.embeddings(this.ownEmbedding);
    this.models = clients.of(modelV1.ModelService);
    this.generation = clients.of(generationV1.GenerationService);
    this.conversations = clients.of(generationV1.ConversationService);
    this.questions = meter.questions(clients.of(generationV1.QuestionService));
    this.usage = clients.of(generationV1.UsageService);
  }

  /**
   * Has a question answered, from fewer chunks when the edge was nearly full as the question came.
   * @param options of `unary` for an answer as a whole, of `answer` for one that is told in events.
   */
  ask(question: Question, reply: FastifyReply, options: CallOptions): AsyncIterable<retrievalV1.QueryResponse> {
    return this.#answers.query({ ...question, fewerChunks: scopeOf(reply).slot.isAmongLast }, options);
  }

  /** For a call that answers once. @param extraSeconds it may wait on purpose. */
  unary(reply: FastifyReply, extraSeconds = 0): CallOptions {
    return {
      signal: scopeOf(reply).clientLeft,
      deadlineMs: (this.config.REQUEST_TIMEOUT_SECONDS + extraSeconds) * 1000,
    };
  }

  /**
   * For an answer that is told in events: keeps its place among the streams before any work is done for it.
   * @throws RagmeshError OVERLOAD.SHED when as many streams are open as may be.
   */
  answer(reply: FastifyReply): CallOptions {
    scopeOf(reply).slot.reserveStream();
    return this.stream(reply);
  }

  /** For a call that streams a file or an upload. */
  stream(reply: FastifyReply): CallOptions {
    scopeOf(reply).endsAt = performance.now() + this.config.STREAM_TIMEOUT_SECONDS * 1000;
    return { signal: scopeOf(reply).clientLeft, deadlineMs: this.config.STREAM_TIMEOUT_SECONDS * 1000 };
  }

  /** For a write that must not be broken off half-way: a client that leaves changes nothing. */
  write(): CallOptions {
    return { deadlineMs: this.config.REQUEST_TIMEOUT_SECONDS * 1000 };
  }
}
