import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { generationV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import type { conversationSchema, messageSchema } from './conversations.schema.js';

/** ISO 8601; every row has its times. */
export const timeText = (time: Parameters<typeof timestampDate>[0] | undefined): string =>
  time ? timestampDate(time).toISOString() : '';

export const conversationBody = (conversation: generationV1.Conversation): z.input<typeof conversationSchema> => ({
  id: conversation.id,
  created_at: timeText(conversation.createdAt),
  updated_at: timeText(conversation.updatedAt),
  message_count: conversation.turns,
});

export const messageBody = (turn: generationV1.Turn): z.input<typeof messageSchema> => ({
  role: turn.role === 'assistant' ? 'assistant' : 'user',
  text: turn.text,
  created_at: timeText(turn.createdAt),
  request_id: turn.requestId || null,
  document_ids: turn.documentIds,
  withdrawn: turn.withdrawn,
});
