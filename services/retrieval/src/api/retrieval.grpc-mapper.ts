import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf';
import { retrievalV1, type generationV1 } from '@ragmesh/contracts';
import type { AnswerEvent } from '../commands/answer-query.js';
import type { Telling } from '../commands/cached-answer.js';
import type { Explanation } from '../domain/explanation.js';
import type { FusedPoint } from '../domain/scored-point.js';

type SourceInit = MessageInitShape<typeof generationV1.SourceSchema>;
type ResultInit = MessageInitShape<typeof retrievalV1.ResultSchema>;
type DroppedInit = MessageInitShape<typeof retrievalV1.DroppedSchema>;
type QueryReply = MessageInitShape<typeof retrievalV1.QueryResponseSchema>;

function toSource(point: FusedPoint): SourceInit {
  const { documentId, score, text, start, end, page, heading } = point;
  return {
    id: point.chunkId,
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

const toSources = (points: readonly FusedPoint[]): SourceInit[] => points.map(toSource);

/** @param explanation of the search; with it the result says how it came to its place. */
export function toResult(point: FusedPoint, explanation: Explanation | undefined): ResultInit {
  const place = explanation?.places[point.pointId];
  if (!place) return { source: toSource(point) };
  return {
    source: toSource(point),
    denseScore: point.dense ?? undefined,
    lexicalScore: point.lexical ?? undefined,
    denseRank: place.denseRank ?? undefined,
    lexicalRank: place.lexicalRank ?? undefined,
    fusedScore: place.fusedScore ?? undefined,
    rerankScore: place.rerankScore ?? undefined,
  };
}

export const toDropped = (explanation: Explanation | undefined): DroppedInit[] =>
  explanation?.dropped.map(({ version, ...rest }) => ({ version: BigInt(version), ...rest })) ?? [];

/** How the answer to a question of a conversation, or of none, is told. */
export const tellingTo = (conversationId: string): Telling => ({
  toSources,
  toReply: (event) => create(retrievalV1.QueryResponseSchema, toQueryReply(event, conversationId)),
});

function toQueryReply(event: AnswerEvent, conversationId: string): QueryReply {
  switch (event.type) {
    case 'sources': {
      const { points, explanation } = event.found;
      const results = points.map((point) => toResult(point, explanation));
      return { event: { case: 'sources', value: { results, dropped: toDropped(explanation) } } };
    }
    case 'delta':
      return { event: { case: 'delta', value: event.text } };
    case 'citation':
      return { event: { case: 'citation', value: event.citation } };
    case 'done': {
      const { timings, cached, supported, completed, spent } = event;
      const { usage, model, incomplete, shortened, fallbackUsed } = completed;
      const conversation = { conversationId: completed.conversationId || conversationId };
      const outcome = {
        timings,
        degraded: [...event.degraded],
        cached,
        supported,
        usage,
        model,
        writingUsage: { ...spent },
      };
      return { event: { case: 'done', value: { ...outcome, ...conversation, incomplete, shortened, fallbackUsed } } };
    }
  }
}
