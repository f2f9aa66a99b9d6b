import { z } from 'zod';
import { completion } from './search.schema.js';
import { endOffset, startOffset } from './offset.schema.js';
import { idSchema } from './paging.schema.js';

export const questionsRequest = z.strictObject({
  topic: z
    .string()
    .min(1)
    .max(1000)
    .refine((text) => text.trim() !== '', 'Field topic must not be blank.')
    .optional()
    .describe('What the questions are about; without it and document_id: the newest documents of the collection'),
  document_id: idSchema.optional().describe('Ask about this document only'),
  collection: idSchema.default('default'),
  count: z.number().int().min(1).max(100).default(25),
  mode: z
    .enum(['practice', 'quiz'])
    .default('practice')
    .describe('`practice`: free answers. `quiz`: options to choose from'),
  model: z.string().min(1).max(200).optional(),
});
export type QuestionsInput = z.output<typeof questionsRequest>;

const questionSchema = z.object({
  question: z.string(),
  options: z.array(z.string()).describe('Empty in practice mode'),
  correct_answer: z.string(),
  explanation: z.string(),
  citation: z.object({
    document_id: z.string(),
    version: z.int(),
    start: startOffset,
    end: endOffset,
    text: z.string(),
    page: z.int().nullable(),
    heading: z.string().nullable(),
  }),
});

export const questionsAnswer = completion
  .pick({ timings: true, degraded: true, model: true, request_id: true })
  .extend({
    usage: z.object({
      prompt_tokens: z.int(),
      completion_tokens: z.int(),
      cost: z.number().optional().describe('US dollars'),
    }),
    questions: z.array(questionSchema).describe('Fewer than asked for where the sources give no more'),
  });
