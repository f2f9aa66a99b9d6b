import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { documentV1, knowledgeV1, retrievalV1 } from '@ragmesh/contracts';
import { GrpcClients, type CallOptions, type GrpcClient } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../gateway.config.js';
import { scopeOf } from '../http/request-scope.js';

/** Calls of the services behind the edge, each within its request's time and ended when its client leaves. */
@Injectable()
export class Calls {
  readonly documents: GrpcClient<typeof documentV1.DocumentService>;
  readonly knowledge: GrpcClient<typeof knowledgeV1.KnowledgeService>;
  readonly retrieval: GrpcClient<typeof retrievalV1.RetrievalService>;

  constructor(
    clients: GrpcClients,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {
    this.documents = clients.of(documentV1.DocumentService);
    this.knowledge = clients.of(knowledgeV1.KnowledgeService);
    this.retrieval = clients.of(retrievalV1.RetrievalService);
  }

  /** For a call that answers once. @param extraSeconds it may wait on purpose. */
  unary(reply: FastifyReply, extraSeconds = 0): CallOptions {
    return {
      signal: scopeOf(reply).clientLeft,
      deadlineMs: (this.config.REQUEST_TIMEOUT_SECONDS + extraSeconds) * 1000,
    };
  }

  /** For a call that streams an answer, a file or an upload. */
  stream(reply: FastifyReply): CallOptions {
    return { signal: scopeOf(reply).clientLeft, deadlineMs: this.config.STREAM_TIMEOUT_SECONDS * 1000 };
  }

  /** For a write that must not be broken off half-way: a client that leaves changes nothing. */
  write(): CallOptions {
    return { deadlineMs: this.config.REQUEST_TIMEOUT_SECONDS * 1000 };
  }
}
