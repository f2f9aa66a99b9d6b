import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Calls } from '../api/calls.js';
import { wholeAnswer } from '../api/whole-answer.js';
import { scopeOf } from '../http/request-scope.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { apiBody, apiMessage, isWithoutModel } from './query.mapper.js';
import { apiAnswer, apiQuery, type ApiQuery } from './query.schema.js';
import { SystemHealthCheck } from './system-health.js';

/** Answers for clients that know `/api/v1/query`: the sources always, the answer where a language model writes one. */
@Controller('api/v1/query')
export class ApiQueryController {
  constructor(
    private readonly calls: Calls,
    private readonly health: SystemHealthCheck,
  ) {}

  @Post()
  @HttpCode(200)
  @Describe({
    summary: 'Answer a question, or give its sources alone when no language model is configured',
    tag: 'Existing clients',
    body: { 'application/json': apiQuery },
    example: { question: 'How long is the notice period?' },
    answers: [{ status: 200, description: 'Sources and the answer', schema: apiAnswer }],
    problems: [
      'FILTER.UNKNOWN_OPERATOR',
      'FILTER.INVALID',
      'EMBEDDING.UNAVAILABLE',
      'VECTOR.UNAVAILABLE',
      'GENERATION.UNAVAILABLE',
    ],
  })
  async query(
    @Body(valid(apiQuery)) input: ApiQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof apiAnswer>> {
    const answer = await wholeAnswer(this.calls.ask(apiMessage(input), reply, this.calls.unary(reply)));
    const isDisabled = isWithoutModel(answer) && (answer.results.length > 0 || !(await this.health.hasLanguageModel()));
    return apiBody(answer, isDisabled, scopeOf(reply).requestId);
  }
}
