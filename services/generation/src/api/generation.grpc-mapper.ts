import type { MessageInitShape } from '@bufbuild/protobuf';
import type { generationV1 } from '@ragmesh/contracts';
import type { CompletedAnswer } from '../commands/generate-answer.js';
import type { AnswerEvent } from '../domain/answer-stream.js';
import type { Turn } from '../domain/turn.js';
import type { Source } from '../domain/source.js';

export type GenerateReply = MessageInitShape<typeof generationV1.GenerateResponseSchema>;

export function toSource(source: generationV1.Source): Source {
  const { id, documentId, score, text, start, end, page = null, heading = null, metadata = {} } = source;
  return { id, documentId, version: Number(source.version), score, text, start, end, page, heading, metadata };
}

export function toReply(event: AnswerEvent | CompletedAnswer): GenerateReply {
  switch (event.type) {
    case 'delta':
      return { event: { case: 'delta', value: event.text } };
    case 'citation':
      return { event: { case: 'citation', value: { ...event.citation } } };
    case 'completed': {
      const { type: _type, degraded, ...completed } = event;
      return { event: { case: 'completed', value: { ...completed, degraded: [...degraded] } } };
    }
  }
}

/** Whoever is not the assistant speaks as the user: no message of a caller gets more to say than a question has. */
export const toTurn = ({ role, text }: generationV1.PriorMessage): Turn => ({
  role: role === 'assistant' ? 'assistant' : 'user',
  text,
});
