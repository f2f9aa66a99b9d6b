import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { from, map, type Observable } from 'rxjs';
import { GenerateAnswer } from '../commands/generate-answer.js';
import { toReply, toSource, type GenerateReply } from './generation.grpc-mapper.js';

/** Answers from sources. */
@Controller()
export class GenerationGrpcController {
  constructor(private readonly generateAnswer: GenerateAnswer) {}

  @GrpcMethod('GenerationService', 'Generate')
  generate({ question, sources }: generationV1.GenerateRequest): Observable<GenerateReply> {
    if (question.trim() === '') {
      throw new RagmeshError('REQUEST.INVALID', 'The field question must not be empty.', { field: 'question' });
    }
    return from(this.generateAnswer.run(question, sources.map(toSource))).pipe(map(toReply));
  }
}
