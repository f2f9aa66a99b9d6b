import { z } from 'zod';
import { freeIdSchema, pageOf } from './paging.schema.js';

export const newFeedback = z.strictObject({
  request_id: freeIdSchema.describe('The request_id of the answer that is judged'),
  rating: z.enum(['up', 'down']),
  comment: z.string().max(4000).optional(),
});

export const feedbackSchema = z.object({
  id: z.string(),
  request_id: z.string(),
  rating: z.enum(['up', 'down']),
  comment: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string().describe('Later than created_at when the judgement was changed'),
});

export const feedbackPage = pageOf(feedbackSchema);
