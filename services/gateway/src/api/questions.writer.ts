import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { scopeOf } from '../http/request-scope.js';
import { Calls } from './calls.js';
import { questionBody, usageBody } from './questions.mapper.js';
import type { questionsAnswer, QuestionsInput } from './questions.schema.js';
import { QuestionSources } from './questions.sources.js';

/** Sets of questions: finds the sources, and has generation write from them. */
@Injectable()
export class QuestionWriter {
  constructor(
    private readonly calls: Calls,
    private readonly sources: QuestionSources,
  ) {}

  /** @throws RagmeshError as the search, the documents and the model behind it do. */
  async write(input: QuestionsInput, reply: FastifyReply): Promise<z.input<typeof questionsAnswer>> {
    const started = performance.now();
    const found = await this.sources.find(input, this.calls.unary(reply));
    const foundAt = performance.now();
    const { count, mode, topic = '', model = '' } = input;
    const request = { sources: [...found.sources], topic, count, mode, model };
    const set = await this.calls.questions.writeQuestions(request, this.calls.unary(reply));
    const ended = performance.now();
    const questions = set.questions.map((question) => questionBody(question, found.sources));
    if (!set.usage) throw new RagmeshError('INTERNAL.UNEXPECTED', 'A set of questions came without its usage.');
    return {
      questions,
      usage: usageBody(set.usage),
      model: set.model,
      degraded: [...new Set([...found.degraded, ...set.degraded])],
      timings: {
        ...found.timings,
        sources_ms: foundAt - started,
        questions_ms: ended - foundAt,
        total_ms: ended - started,
      },
      request_id: scopeOf(reply).requestId,
    };
  }
}
