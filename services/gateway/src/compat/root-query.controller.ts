import { Body, Controller, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { ErrorCode } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import { Calls } from '../api/calls.js';
import { wholeAnswer } from '../api/whole-answer.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { streamBlocks } from '../http/stream-blocks.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { rootBlocks, rootBody, rootMessage } from './query.mapper.js';
import { INCOMPLETE_HEADER, rootAnswer, rootAnswerHeaders, rootEvent, rootQuery } from './query.schema.js';
import type { RootQuery } from './query.schema.js';
import { rootQueryRoute } from './root-stream-errors.js';

const problems: readonly ErrorCode[] = [
  'FILTER.UNKNOWN_OPERATOR',
  'FILTER.INVALID',
  'EMBEDDING.UNAVAILABLE',
  'VECTOR.UNAVAILABLE',
  'GENERATION.UNAVAILABLE',
];
const body = { 'application/json': rootQuery };
const example = { query: 'How long is the notice period?', top_k: 5 };
const answer = {
  status: 200,
  description: 'The answer; with `stream` events',
  schema: rootAnswer,
  headers: rootAnswerHeaders,
};
const events = { status: 200, description: 'Events', type: 'text/event-stream', schema: rootEvent };

/** Answers for clients that know `/query`. */
@Controller('query')
export class RootQueryController {
  constructor(
    private readonly calls: Calls,
    private readonly problems: ProblemFilter,
  ) {}

  @Post()
  @RouteConfig(rootQueryRoute)
  @Describe({
    summary: 'Answer a question; /v1/query says more',
    tag: 'Existing clients',
    body,
    example,
    answers: [answer, events],
    problems,
  })
  async query(@Body(valid(rootQuery)) input: RootQuery, @Res() reply: FastifyReply): Promise<void> {
    if (input.stream) return this.stream(input, reply);
    const started = performance.now();
    const answer = await wholeAnswer(this.calls.ask(rootMessage(input), reply, this.calls.unary(reply)));
    if (answer.done.incomplete) void reply.header(INCOMPLETE_HEADER, 'true');
    await reply.status(200).send(rootBody(answer, performance.now() - started));
  }

  @Post('stream')
  @RouteConfig(rootQueryRoute)
  @Describe({
    summary: 'Answer a question as events; /v1/query says more',
    tag: 'Existing clients',
    body,
    example,
    answers: [events],
    problems,
  })
  async stream(@Body(valid(rootQuery)) input: RootQuery, @Res() reply: FastifyReply): Promise<void> {
    const answer = this.calls.ask(rootMessage(input), reply, this.calls.answer(reply));
    await streamBlocks(rootBlocks(answer), reply, this.problems);
  }
}
