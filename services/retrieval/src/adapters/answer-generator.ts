import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { generationV1 } from '@ragmesh/contracts';
import { RagmeshError, asRagmeshError } from '@ragmesh/errors';
import { type CallScope, GrpcClients } from '@ragmesh/grpc';
import { circuitBreaker, streamThrough } from '@ragmesh/resilience';
import { isCallersOwn } from '../domain/leg-outcomes.js';

export type AnswerRequest = MessageInitShape<typeof generationV1.GenerateRequestSchema>;

/** Asks the generation service, which has its own fallbacks down to the extractive answerer. */
@Injectable()
export class AnswerGenerator implements OnModuleDestroy {
  readonly #breaker = circuitBreaker('generation', { service: 'retrieval', timeoutMs: Infinity });

  constructor(private readonly clients: GrpcClients) {}

  onModuleDestroy(): void {
    this.#breaker.shutdown();
  }

  /** @throws RagmeshError GENERATION.UNAVAILABLE when the service gives no answer. */
  async *generate(request: AnswerRequest, scope: CallScope): AsyncGenerator<generationV1.GenerateResponse> {
    scope.deadline.throwIfExpired();
    const client = this.clients.of(generationV1.GenerationService);
    const options = { deadlineMs: scope.deadline.remainingMs };
    try {
      yield* streamThrough(this.#breaker, (signal) => client.generate(request, { ...options, signal }), scope.signal);
    } catch (failure) {
      const error = asRagmeshError(failure);
      if (isCallersOwn(error)) throw error;
      scope.deadline.throwIfExpired();
      if (error.retry === 'permanent') throw error;
      const details = { dependency: 'generation', reason: error.code, retryAfter: 1 };
      throw new RagmeshError('GENERATION.UNAVAILABLE', 'The generation service gave no answer.', details, {
        cause: error,
      });
    }
  }
}
