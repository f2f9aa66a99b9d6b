import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import { type IncomingCall, scopeOf } from '@ragmesh/grpc';
import type { ChargedUsage } from '../adapters/usage-ledger.js';
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
    const { value, usage } = await this.writer.condense(checkQuestion(question), before, scopeOf(call));
    return { question: value, ...used(usage) };
  }

  @GrpcMethod('QueryWritingService', 'Paraphrase')
  async paraphrase(
    { question, count }: generationV1.ParaphraseRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.ParaphraseResponseSchema> {
    checkBetween('count', count, 1, MAX_PARAPHRASES);
    const { value, usage } = await this.writer.paraphrase(checkQuestion(question), count, scopeOf(call));
    return { questions: value, ...used(usage) };
  }

  @GrpcMethod('QueryWritingService', 'Hypothesise')
  async hypothesise(
    { question }: generationV1.HypothesiseRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.HypothesiseResponseSchema> {
    const { value, usage } = await this.writer.hypothesise(checkQuestion(question), scopeOf(call));
    return { passage: value, ...used(usage) };
  }

  @GrpcMethod('QueryWritingService', 'GradePassages')
  async grade(
    { question, passages }: generationV1.GradePassagesRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.GradePassagesResponseSchema> {
    checkBetween('passages', passages.length, 0, MAX_PASSAGES);
    const { value, usage } = await this.writer.grade(checkQuestion(question), passages, scopeOf(call));
    return { relevant: [...value.relevant], judged: value.judged, ...used(usage) };
  }

  @GrpcMethod('QueryWritingService', 'VerifyAnswer')
  async verify(
    { question, answer, passages }: generationV1.VerifyAnswerRequest,
    _metadata: unknown,
    call: IncomingCall,
  ): Reply<typeof generationV1.VerifyAnswerResponseSchema> {
    checkBetween('passages', passages.length, 1, MAX_PASSAGES);
    const claim = { question: checkQuestion(question), answer };
    const { value, usage } = await this.writer.verify(claim, passages, scopeOf(call));
    return { supported: value, ...used(usage) };
  }
}

/** A field of its own, since what was not used is not told. */
const used = (usage: ChargedUsage | undefined) => (usage ? { usage: { ...usage } } : {});

function checkBetween(field: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RagmeshError('REQUEST.INVALID', `The field ${field} must have a size from ${min} to ${max}.`, {
    field,
    min,
    max,
  });
}
