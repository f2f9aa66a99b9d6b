import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { catalogue, type generationV1 } from '@ragmesh/contracts';
import { BestEffortPublisher } from '@ragmesh/messaging';
import { currentContext } from '@ragmesh/observability';
import { from, type Observable } from 'rxjs';
import { answerEvents } from '../domain/answer-stream.js';
import { answerExtractively } from '../domain/extractive-answerer.js';
import type { Source } from '../domain/source.js';

type Reply = MessageInitShape<typeof generationV1.GenerateResponseSchema>;

const MODEL = 'extractive';

/** Streams an answer: its sentences, each followed by the quote it rests on, then what it took. */
@Controller()
export class GenerationGrpcController {
  constructor(private readonly publisher: BestEffortPublisher) {}

  @GrpcMethod('GenerationService', 'Generate')
  generate({ question, sources }: generationV1.GenerateRequest): Observable<Reply> {
    const begin = performance.now();
    const answer = answerExtractively(question, sources.map(toSource));
    const totalMs = performance.now() - begin;
    const requestId = currentContext()?.requestId ?? '';
    this.publisher.publish(catalogue.generationCompleted, requestId, { requestId, model: MODEL, citations: answer.citations.length, totalMs });
    const pieces = Array.from(answerEvents(answer), (event): Reply =>
      event.type === 'delta' ? { event: { case: 'delta', value: event.text } } : { event: { case: 'citation', value: event.citation } },
    );
    const usage = { promptTokens: 0, completionTokens: 0 };
    return from([...pieces, { event: { case: 'completed', value: { usage, model: MODEL, degraded: [], llmMs: totalMs } } } satisfies Reply]);
  }
}

function toSource(source: generationV1.Source): Source {
  const { id, documentId, version, text, start, end, page, heading, score, metadata } = source;
  return { id, documentId, version: Number(version), text, start, end, page: page ?? null, heading: heading ?? null, score, metadata: metadata ?? {} };
}
