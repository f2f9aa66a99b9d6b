import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import { QuestionWriter } from '../commands/question-writer.js';
import type { Question, QuestionMode } from '../domain/question.js';
import { toSource } from './generation.grpc-mapper.js';

type Reply = MessageInitShape<typeof generationV1.WriteQuestionsResponseSchema>;

/** Most questions of one set. */
const MAX_COUNT = 100;

/** Practice and quiz sets, from sources. */
@Controller()
export class QuestionGrpcController {
  constructor(private readonly writer: QuestionWriter) {}

  @GrpcMethod('QuestionService', 'WriteQuestions')
  async write(request: generationV1.WriteQuestionsRequest, _metadata: unknown, call: IncomingCall): Promise<Reply> {
    const { sources, topic, model } = request;
    const wanted = { topic, model, mode: modeOf(request), count: countOf(request) };
    const set = await this.writer.write(sources.map(toSource), wanted, scopeOf(call));
    return { ...set, questions: set.questions.map(toQuestion), usage: { ...set.usage }, degraded: [...set.degraded] };
  }
}

function modeOf({ mode }: generationV1.WriteQuestionsRequest): QuestionMode {
  if (mode === 'practice' || mode === 'quiz') return mode;
  throw new RagmeshError('REQUEST.INVALID', 'The field mode must be practice or quiz.', { field: 'mode' });
}

function countOf({ count }: generationV1.WriteQuestionsRequest): number {
  if (count >= 1 && count <= MAX_COUNT) return count;
  const message = `The field count must be from 1 to ${MAX_COUNT}.`;
  throw new RagmeshError('REQUEST.INVALID', message, { field: 'count', limit: MAX_COUNT });
}

const toQuestion = ({ options, citation, ...question }: Question) => ({
  ...question,
  options: [...options],
  citation: { ...citation },
});
