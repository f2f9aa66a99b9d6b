import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { CONFIG } from '@ragmesh/bootstrap';
import type { generationV1 } from '@ragmesh/contracts';
import { type IncomingCall, type Outlet, pacedStream, scopeOf } from '@ragmesh/grpc';
import { currentTenant } from '@ragmesh/observability';
import { map, type Observable } from 'rxjs';
import { AnswerCache } from '../adapters/answer-cache.js';
import { LanguageModels } from '../adapters/language-models.js';
import { GenerateAnswer } from '../commands/generate-answer.js';
import { checkInstructions, checkMaxTokens, checkQuestion, checkTemperature } from '../domain/checked-request.js';
import type { GenerationConfig } from '../generation.config.js';
import { toReply, toSource, toTurn, type GenerateReply } from './generation.grpc-mapper.js';

type ClearReply = MessageInitShape<typeof generationV1.ClearAnswersResponseSchema>;

/** Answers from sources. */
@Controller()
export class GenerationGrpcController {
  constructor(
    private readonly generateAnswer: GenerateAnswer,
    private readonly models: LanguageModels,
    private readonly kept: AnswerCache,
    @Inject(CONFIG) private readonly config: GenerationConfig,
  ) {}

  @GrpcMethod('GenerationService', 'Generate')
  generate(
    request: generationV1.GenerateRequest,
    _metadata: unknown,
    call: IncomingCall & Outlet,
  ): Observable<GenerateReply> {
    const temperature = checkTemperature(request.temperature);
    const maxTokens = checkMaxTokens(request.maxTokens, this.config.LLM_MAX_TOKENS);
    const asked = {
      question: checkQuestion(request.question),
      sources: request.sources.map(toSource),
      sourcesAgeMs: ageOf(request),
      collection: request.collection,
      conversationId: request.conversationId,
      history: request.history.map(toTurn),
      instructions: checkInstructions(request.instructions),
      maxTokens,
      stop: request.stop.filter((sequence) => sequence !== ''),
      model: request.model,
      ...(temperature === undefined ? {} : { temperature }),
      ...(request.maxTokens === undefined ? {} : { askedTokens: maxTokens }),
    };
    return pacedStream(this.generateAnswer.run(asked, scopeOf(call)), call).pipe(map(toReply));
  }

  @GrpcMethod('GenerationService', 'ListLanguageModels')
  listLanguageModels(): MessageInitShape<typeof generationV1.ListLanguageModelsResponseSchema> {
    return { models: [...this.models.all] };
  }

  @GrpcMethod('GenerationService', 'ClearAnswers')
  async clearAnswers({ collection }: generationV1.ClearAnswersRequest): Promise<ClearReply> {
    await this.kept.clear(currentTenant(), collection);
    return {};
  }
}

/** None where an earlier release told none, or what cannot be. */
const ageOf = ({ sourcesAgeMs }: generationV1.GenerateRequest): number =>
  Number.isFinite(sourcesAgeMs) ? Math.max(0, sourcesAgeMs) : 0;
