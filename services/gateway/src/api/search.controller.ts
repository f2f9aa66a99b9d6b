import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { droppedBody, resultBody, searchMessage, supportedBody } from './search.mapper.js';
import { searchAnswer, searchRequest, type SearchInput } from './search.schema.js';
import { usageBody } from './spent-usage.js';

/** Retrieval without an answer. */
@Controller('v1/search')
export class SearchController {
  constructor(private readonly calls: Calls) {}

  @Post()
  @HttpCode(200)
  @Describe({
    summary: 'Find the best passages for a query',
    tag: 'Answers',
    body: { 'application/json': searchRequest },
    example: { query: 'How long is the notice period?', top_k: 5 },
    answers: [{ status: 200, description: 'Best first', schema: searchAnswer }],
    problems: ['FILTER.UNKNOWN_OPERATOR', 'FILTER.INVALID', 'EMBEDDING.UNAVAILABLE', 'VECTOR.UNAVAILABLE'],
  })
  async search(
    @Body(valid(searchRequest)) input: SearchInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof searchAnswer>> {
    const found = await this.calls.retrieval.search(searchMessage(input), this.calls.unary(reply));
    return {
      results: found.results.map(resultBody),
      timings: found.timings,
      degraded: found.degraded,
      ...droppedBody(input, found.dropped),
      ...supportedBody(input, found.supported),
      usage: found.usage ? usageBody(found.usage) : null,
      request_id: scopeOf(reply).requestId,
    };
  }
}
