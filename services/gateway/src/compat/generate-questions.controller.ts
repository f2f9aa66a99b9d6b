import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { QuestionWriter } from '../api/questions.writer.js';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import {
  generatedQuestions,
  generateQuestions,
  questionErrors,
  questionRoute,
  type GenerateQuestionsInput,
} from './generate-questions.schema.js';
import { questionsText } from './questions-text.js';

/** Questions for clients that know `/api/chat/generate-questions`. */
@Controller('api/chat/generate-questions')
export class GenerateQuestionsController {
  constructor(private readonly writer: QuestionWriter) {}

  @Post()
  @HttpCode(200)
  @RouteConfig(questionRoute)
  @Describe({
    summary: 'Make questions as text; /v1/questions gives them as data',
    tag: 'Existing clients',
    body: { 'application/json': generateQuestions },
    example: { topic: 'Notice periods', count: 10, mode: 'quiz' },
    answers: [{ status: 200, description: 'The questions', schema: generatedQuestions }],
    problems: ['EMBEDDING.UNAVAILABLE', 'VECTOR.UNAVAILABLE'],
    errors: questionErrors,
  })
  async generate(
    @Body(valid(generateQuestions)) { topic, count, mode }: GenerateQuestionsInput,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof generatedQuestions>> {
    const about = topic?.trim() ? { topic } : {};
    const { questions } = await this.writer.write({ ...about, collection: 'default', count, mode }, reply);
    return { response: questionsText(questions), timestamp: new Date().toISOString() };
  }
}
