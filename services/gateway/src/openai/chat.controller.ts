import { Body, Controller, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { Calls } from '../api/calls.js';
import { wholeAnswer } from '../api/whole-answer.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { streamBlocks } from '../http/stream-blocks.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { completionBlocks, completionBody, newCompletion } from './chat-completion.js';
import { queryOf } from './chat-question.js';
import { chatChunk, chatCompletion, chatRequest, type ChatInput } from './chat.schema.js';
import { openAiErrors, openAiRoute } from './openai-errors.js';
import { ServedModels } from './served-models.js';

/** Cited answers for whoever speaks OpenAI's chat. */
@Controller('v1/chat/completions')
export class ChatController {
  constructor(
    private readonly calls: Calls,
    private readonly models: ServedModels,
    private readonly problems: ProblemFilter,
  ) {}

  @Post()
  @RouteConfig(openAiRoute)
  @Describe({
    summary: 'Answer the last user message of a chat with citations, as OpenAI would',
    tag: 'OpenAI',
    body: { 'application/json': chatRequest },
    example: { model: 'ragmesh', messages: [{ role: 'user', content: 'How long is the notice period?' }] },
    answers: [
      { status: 200, description: 'The completion; with `stream` chunks, then `[DONE]`', schema: chatCompletion },
      { status: 200, description: 'Chunks', type: 'text/event-stream', schema: chatChunk },
    ],
    problems: [
      'MODEL.NOT_FOUND',
      'FILTER.UNKNOWN_OPERATOR',
      'FILTER.INVALID',
      'EMBEDDING.UNAVAILABLE',
      'VECTOR.UNAVAILABLE',
      'GENERATION.UNAVAILABLE',
    ],
    errors: openAiErrors,
  })
  async complete(@Body(valid(chatRequest)) input: ChatInput, @Res() reply: FastifyReply): Promise<void> {
    const languageModel = await this.models.languageModelOf(input.model, reply);
    const query = queryOf(input, languageModel);
    const head = newCompletion(input.model);
    if (input.stream) {
      const includeUsage = input.stream_options?.include_usage ?? false;
      const answer = this.calls.ask(query, reply, this.calls.answer(reply));
      return streamBlocks(completionBlocks(head, answer, { includeUsage }), reply, this.problems);
    }
    const answer = await wholeAnswer(this.calls.ask(query, reply, this.calls.unary(reply)));
    await reply.status(200).send(completionBody(head, answer));
  }
}
