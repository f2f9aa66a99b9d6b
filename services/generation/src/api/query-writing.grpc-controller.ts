import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import { WriteQuery } from '../commands/write-query.js';
import { checkQuestion } from '../domain/checked-request.js';
import { toTurn } from './generation.grpc-mapper.js';

const MAX_PARAPHRASES = 5;
const MAX_PASSAGES = 50;

type Reply<Schema extends DescMessage> = Promise<MessageInitShape<Schema>>;

/** What a language model does for retrieval, before and after a search. */
@Controller()
export class QueryWritingGrpcController {
  constructor(private readonly writer: WriteQuery) {}

  @GrpcMethod('QueryWritingService', 'Condense')
  async condense(
    { question, conversationId, history }: generationV1.CondenseRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.CondenseResponseSchema> {
    const before = history.length > 0 ? history.map(toTurn) : conversationId;
    return { question: await this.writer.condense(checkQuestion(question), before, scopeOf(call)) };
  }

  @GrpcMethod('QueryWritingService', 'Paraphrase')
  async paraphrase(
    { question, count }: generationV1.ParaphraseRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.ParaphraseResponseSchema> {
    checkBetween('count', count, 1, MAX_PARAPHRASES);
    return { questions: await this.writer.paraphrase(checkQuestion(question), count, scopeOf(call)) };
  }

  @GrpcMethod('QueryWritingService', 'Hypothesise')
  async hypothesise(
    { question }: generationV1.HypothesiseRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.HypothesiseResponseSchema> {
    return { passage: await this.writer.hypothesise(checkQuestion(question), scopeOf(call)) };
  }

  @GrpcMethod('QueryWritingService', 'GradePassages')
  async grade(
    { question, passages }: generationV1.GradePassagesRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.GradePassagesResponseSchema> {
    checkBetween('passages', passages.length, 0, MAX_PASSAGES);
    return { relevant: await this.writer.grade(checkQuestion(question), passages, scopeOf(call)) };
  }

  @GrpcMethod('QueryWritingService', 'VerifyAnswer')
  async verify(
    { question, answer, passages }: generationV1.VerifyAnswerRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.VerifyAnswerResponseSchema> {
    checkBetween('passages', passages.length, 1, MAX_PASSAGES);
    const claim = { question: checkQuestion(question), answer };
    return { supported: await this.writer.verify(claim, passages, scopeOf(call)) };
  }
}

function checkBetween(field: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RagmeshError('REQUEST.INVALID', `The field ${field} must have a size from ${min} to ${max}.`, {
    field,
    min,
    max,
  });
}
