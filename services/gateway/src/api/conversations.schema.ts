import { z } from 'zod';
import { freeIdSchema, pageOf } from './paging.schema.js';

export const newConversation = z.strictObject({
  id: freeIdSchema.optional().describe('Your own id; made for you when absent'),
});

/** Path of one conversation. */
export const conversationPath = z.object({ id: freeIdSchema });

export const conversationSchema = z.object({
  id: z.string(),
  created_at: z.string(),
  updated_at: z.string(),
  message_count: z.int().describe('How many it holds: the newest 1,000 are kept'),
});

export const messageSchema = z.object({
  role: z.enum(['user', 'assistant']),
  text: z.string(),
  created_at: z.string(),
  request_id: z.string().nullable(),
  document_ids: z.array(z.string()).describe('Of an answer: the documents it cites'),
  withdrawn: z
    .boolean()
    .describe('An answer whose text was removed: a document it cited was deleted, or its readers are restricted now'),
});

export const conversationPage = pageOf(conversationSchema);

/** One conversation with a page of its messages, oldest first. */
export const conversationDetail = conversationSchema.extend({
  messages: z.array(messageSchema),
  next_cursor: z.string().nullable(),
});

export const deletedConversation = z.object({ id: z.string(), deleted_messages: z.int() });
