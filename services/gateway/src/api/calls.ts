import type { DescService } from '@bufbuild/protobuf';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { documentV1, knowledgeV1, retrievalV1 } from '@ragmesh/contracts';
import { GrpcClients, type CallOptions, type GrpcClient } from '@ragmesh/grpc';
import type { CircuitBreaker } from '@ragmesh/resilience';
import type { FastifyReply } from 'fastify';
import type { GatewayConfig } from '../gateway.config.js';
import { scopeOf } from '../http/request-scope.js';
import { edgeBreaker, guardedClient } from './guarded-client.js';

/** Calls of the services behind the edge, each within its request's time and ended when its client leaves. */
@Injectable()
export class Calls implements OnModuleDestroy {
  readonly documents: GrpcClient<typeof documentV1.DocumentService>;
  readonly knowledge: GrpcClient<typeof knowledgeV1.KnowledgeService>;
  readonly retrieval: GrpcClient<typeof retrievalV1.RetrievalService>;

  readonly #breakers: CircuitBreaker[] = [];

  constructor(
    clients: GrpcClients,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {
    this.documents = this.#guarded(clients, documentV1.DocumentService);
    this.knowledge = this.#guarded(clients, knowledgeV1.KnowledgeService);
    this.retrieval = this.#guarded(clients, retrievalV1.RetrievalService);
  }

  onModuleDestroy(): void {
    for (const breaker of this.#breakers) breaker.shutdown();
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

  #guarded<Service extends DescService>(clients: GrpcClients, service: Service): GrpcClient<Service> {
    const breaker = edgeBreaker(service.typeName.split('.')[1]!);
    this.#breakers.push(breaker);
    return guardedClient(service, clients.of(service), breaker);
  }
}
