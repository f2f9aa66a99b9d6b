import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { generationV1, retrievalV1 } from '@ragmesh/contracts';
import type { AnswerEvent } from '../commands/answer-query.js';
import type { FusedPoint } from '../domain/scored-point.js';

type SourceInit = MessageInitShape<typeof generationV1.SourceSchema>;
type ResultInit = MessageInitShape<typeof retrievalV1.ResultSchema>;
type QueryReply = MessageInitShape<typeof retrievalV1.QueryResponseSchema>;

export function toSource(point: FusedPoint): SourceInit {
  const { documentId, score, text, start, end, page, heading } = point;
  return {
    id: point.pointId,
    documentId,
    version: BigInt(point.version),
    score,
    text,
    start,
    end,
    ...(page === null ? {} : { page }),
    ...(heading === null ? {} : { heading }),
    metadata: point.metadata as JsonObject,
  };
}

export const toSources = (points: readonly FusedPoint[]): SourceInit[] => points.map(toSource);

/** @param explain whether the result says what each leg gave it. */
export function toResult(point: FusedPoint, explain: boolean): ResultInit {
  const { dense, lexical } = point;
  return {
    source: toSource(point),
    ...(explain && dense !== null ? { denseScore: dense } : {}),
    ...(explain && lexical !== null ? { lexicalScore: lexical } : {}),
  };
}

export function toQueryReply(event: AnswerEvent, explain: boolean, conversationId: string): QueryReply {
  switch (event.type) {
    case 'sources': {
      const results = event.points.map((point) => toResult(point, explain));
      return { event: { case: 'sources', value: { results } } };
    }
    case 'delta':
      return { event: { case: 'delta', value: event.text } };
    case 'citation':
      return { event: { case: 'citation', value: event.citation } };
    case 'done': {
      const { timings, cached, completed } = event;
      const { usage, model } = completed;
      const value = { timings, degraded: [...event.degraded], cached, usage, model, conversationId };
      return { event: { case: 'done', value } };
    }
  }
}
