import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { cleared, clearRequest, warmed, warmRequest } from './cache.schema.js';
import { Calls } from './calls.js';

/** Results of searches, and answers, that are kept. */
@Controller('v1/admin/cache')
export class CacheController {
  constructor(private readonly calls: Calls) {}

  @Post('warm')
  @HttpCode(200)
  @Describe({
    summary: 'Make searches, or answers, ahead, so that the next ones find them kept',
    tag: 'Administration',
    body: { 'application/json': warmRequest },
    example: { queries: ['How long is the notice period?'] },
    answers: [{ status: 200, description: 'What came of them', schema: warmed }],
    problems: ['EMBEDDING.UNAVAILABLE', 'VECTOR.UNAVAILABLE'],
  })
  async warm(
    @Body(valid(warmRequest)) input: z.output<typeof warmRequest>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof warmed>> {
    scopeOf(reply).slot.becomeStream();
    const { collection, answers, mode = '', top_k: topK = 0 } = input;
    const searches = input.queries.map((query) => ({ query, collection, mode, topK }));
    const {
      warmed: made,
      known,
      failed,
      reasons,
    } = await this.calls.retrieval.warmCache({ searches, answers }, this.calls.stream(reply));
    return { warmed: made, known, failed, ...(failed > 0 ? { reasons } : {}) };
  }

  @Post('clear')
  @HttpCode(200)
  @Describe({
    summary: 'Forget kept results and answers, of one collection or of all',
    tag: 'Administration',
    body: { 'application/json': clearRequest },
    example: { collection: 'default' },
    answers: [{ status: 200, description: 'They are forgotten', schema: cleared }],
    problems: [],
  })
  async clear(
    @Body(valid(clearRequest)) { collection }: z.output<typeof clearRequest>,
  ): Promise<z.input<typeof cleared>> {
    const whose = { collection: collection ?? '' };
    await this.calls.retrieval.clearCache(whose, this.calls.write());
    await this.calls.generation.clearAnswers(whose, this.calls.write());
    return { cleared: true, collection: collection ?? null };
  }
}
