import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { embeddingV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import { EmbedTexts } from '../commands/embed-texts.js';
import { estimateTokens } from '../domain/token-estimate.js';
import { toVectorBytes } from '../publishes/vector-bytes.js';

const MAX_TEXTS = 256;

/** Up to where the tokens of a text are counted when its model does not say: the limit of OpenAI's models. */
const USUAL_MAX_TOKENS = 8192;

/** Longest time a caller is kept while the model is being loaded; lexical search answers meanwhile. */
const PATIENCE_MS = 10_000;

/** Vectors for questions: they go before chunks. */
@Controller()
export class EmbeddingGrpcController {
  constructor(private readonly texts: EmbedTexts) {}

  @GrpcMethod('EmbeddingService', 'Embed')
  async embed(
    { texts, model: name, withoutFallback }: embeddingV1.EmbedRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Promise<MessageInitShape<typeof embeddingV1.EmbedResponseSchema>> {
    if (texts.length === 0 || texts.length > MAX_TEXTS) {
      const details = { field: 'texts', limit: MAX_TEXTS, count: texts.length };
      throw new RagmeshError('REQUEST.INVALID', `texts must hold 1 to ${MAX_TEXTS} texts.`, details);
    }
    const { signal, deadline } = scopeOf(call);
    const patience = { signal, patienceMs: Math.min(PATIENCE_MS, deadline.remainingMs) };
    const embedding = name
      ? this.texts.named(name, texts, patience)
      : this.texts.questions(texts, patience, { withoutFallback });
    const { vectors, model, dimension, maxTokens = USUAL_MAX_TOKENS } = await embedding;
    const tokens = texts.reduce((sum, text) => sum + estimateTokens(text, maxTokens), 0);
    return { vectors: toVectorBytes(vectors), model, dimension, tokens };
  }
}
