import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { questionsAnswer, questionsRequest, type QuestionsInput } from './questions.schema.js';
import { QuestionWriter } from './questions.writer.js';

/** Practice and quiz sets. */
@Controller('v1/questions')
export class QuestionsController {
  constructor(private readonly writer: QuestionWriter) {}

  @Post()
  @HttpCode(200)
  @Describe({
    summary: 'Make questions about a topic or a document, with answers and citations',
    tag: 'Answers',
    body: { 'application/json': questionsRequest },
    example: { topic: 'Notice periods', count: 10, mode: 'quiz' },
    answers: [{ status: 200, description: 'The questions', schema: questionsAnswer }],
    problems: [
      'DOCUMENT.NOT_FOUND',
      'DOCUMENT.NOT_READY',
      'DOCUMENT.FAILED',
      'BLOB.NOT_FOUND',
      'EMBEDDING.UNAVAILABLE',
      'VECTOR.UNAVAILABLE',
    ],
  })
  write(
    @Body(valid(questionsRequest)) input: QuestionsInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof questionsAnswer>> {
    return this.writer.write(input, reply);
  }
}
