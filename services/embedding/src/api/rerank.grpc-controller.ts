import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import { RerankPassages } from '../commands/rerank-passages.js';

const MAX_PASSAGES = 256;

/** Scores of passages, each read together with the question. */
@Controller()
export class RerankGrpcController {
  constructor(private readonly passages: RerankPassages) {}

  @GrpcMethod('RerankService', 'Rerank')
  async rerank(
    { query, passages }: embeddingV1.RerankRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Promise<MessageInitShape<typeof embeddingV1.RerankResponseSchema>> {
    if (passages.length === 0 || passages.length > MAX_PASSAGES) {
      const details = { field: 'passages', limit: MAX_PASSAGES, count: passages.length };
      throw new RagmeshError('REQUEST.INVALID', `passages must hold 1 to ${MAX_PASSAGES} texts.`, details);
    }
    return this.passages.run(query, passages, scopeOf(call).signal);
  }
}
