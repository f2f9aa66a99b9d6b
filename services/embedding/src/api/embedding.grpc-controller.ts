import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { EmbedTexts } from '../commands/embed-texts.js';
import { toVectorBytes } from '../publishes/vector-bytes.js';

const MAX_TEXTS = 256;

/** Longest time a caller is kept while the model is being loaded; lexical search answers meanwhile. */
const PATIENCE_MS = 10_000;

/** What is needed of a gRPC call to notice that its caller went away. */
interface Cancellable {
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Vectors for questions: they go before chunks. */
@Controller()
export class EmbeddingGrpcController {
  constructor(private readonly texts: EmbedTexts) {}

  @GrpcMethod('EmbeddingService', 'Embed')
  async embed(
    { texts }: embeddingV1.EmbedRequest,
    _metadata: unknown,
    call: Cancellable,
  ): Promise<MessageInitShape<typeof embeddingV1.EmbedResponseSchema>> {
    if (texts.length === 0 || texts.length > MAX_TEXTS) {
      const details = { field: 'texts', limit: MAX_TEXTS, count: texts.length };
      throw new RagmeshError('REQUEST.INVALID', `texts must hold 1 to ${MAX_TEXTS} texts.`, details);
    }
    const cancelled = new AbortController();
    call.once('cancelled', () => cancelled.abort());
    const { vectors, model, dimension } = await this.texts.run(texts, 'query', {
      signal: cancelled.signal,
      patienceMs: PATIENCE_MS,
    });
    return { vectors: toVectorBytes(vectors), model, dimension };
  }
}
