import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { RagmeshError } from '@ragmesh/errors';
import { Deadline } from '@ragmesh/resilience';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { takesTexts } from '../http/body-parsers.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { encoded, shortened, vectorsOf } from './embedding-vectors.js';
import { embeddingsAnswer, embeddingsRequest, type EmbeddingsInput } from './embeddings.schema.js';
import { isNameOf } from './model-names.js';
import { openAiErrors, openAiRoute } from './openai-errors.js';
import { ServedModels } from './served-models.js';

/** Texts of one call: so many that questions, which go first, need not wait long behind them. */
const BATCH = 128;

/** Vectors for whoever speaks OpenAI's embeddings. */
@Controller('v1/embeddings')
export class EmbeddingsController {
  constructor(
    private readonly calls: Calls,
    private readonly models: ServedModels,
  ) {}

  @Post()
  @HttpCode(200)
  @RouteConfig({ ...openAiRoute, ...takesTexts })
  @Describe({
    summary: 'Turn texts into vectors, as OpenAI would',
    tag: 'OpenAI',
    body: { 'application/json': embeddingsRequest },
    example: { model: 'all-MiniLM-L6-v2', input: ['The notice period is three months.'] },
    answers: [{ status: 200, description: 'One vector per text, in their order', schema: embeddingsAnswer }],
    problems: ['MODEL.NOT_FOUND', 'EMBEDDING.UNAVAILABLE'],
    errors: openAiErrors,
  })
  async embed(
    @Body(valid(embeddingsRequest)) input: EmbeddingsInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof embeddingsAnswer>> {
    await this.refuseOther(input.model, reply);
    const vectors: Float32Array[] = [];
    const deadline = Deadline.in(this.calls.unary(reply).deadlineMs!, scopeOf(reply).clientLeft);
    let tokens = 0;
    for (let start = 0; start < input.input.length; start += BATCH) {
      const texts = input.input.slice(start, start + BATCH);
      deadline.throwIfExpired();
      const options = { signal: scopeOf(reply).clientLeft, deadlineMs: deadline.remainingMs };
      const answer = await this.calls.embedding.embed({ texts, withoutFallback: true }, options);
      vectors.push(...vectorsOf(answer.vectors, answer.dimension));
      tokens += answer.tokens;
    }
    const dimensions = dimensionsOf(input, vectors[0]!.length);
    const format = input.encoding_format ?? 'float';
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding: encoded(shortened(vector, dimensions), format),
      })),
      model: input.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  }

  private async refuseOther(model: string, reply: FastifyReply): Promise<void> {
    const served = await this.models.embeddingModel(this.calls.unary(reply));
    if (isNameOf(model, served)) return;
    const detail = `No model "${model.slice(0, 100)}" embeds here; the embedding model is ${served}.`;
    throw new RagmeshError('MODEL.NOT_FOUND', detail, { field: 'model' });
  }
}

function dimensionsOf({ dimensions }: EmbeddingsInput, own: number): number {
  if (!dimensions || dimensions <= own) return dimensions ?? own;
  const detail = `Field dimensions must be at most ${own}, the length of this model's vectors.`;
  throw new RagmeshError('REQUEST.INVALID', detail, { field: 'dimensions', limit: own });
}
