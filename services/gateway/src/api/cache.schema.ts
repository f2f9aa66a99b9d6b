import { z } from 'zod';
import { idSchema } from './paging.schema.js';

const MAX_QUERIES = 100;

const query = z
  .string()
  .min(1)
  .max(8000)
  .refine((text) => text.trim() !== '', 'A query must not be blank.');

/** Searches to make ahead of those who will make them. */
export const warmRequest = z.strictObject({
  queries: z.array(query).min(1).max(MAX_QUERIES),
  collection: idSchema.default('default'),
  mode: z.enum(['hybrid', 'dense', 'lexical']).optional(),
  top_k: z.number().int().min(1).max(100).optional(),
  answers: z.boolean().default(false).describe('Have each answered, too, and keep the answers'),
});

export const warmed = z.object({
  warmed: z.int().describe('Searches made whose results are kept now'),
  known: z.int().describe('Searches whose results were kept already'),
  failed: z.int().describe('Searches that failed or took a fallback; nothing of them is kept'),
  reasons: z
    .record(z.string(), z.int())
    .optional()
    .describe(
      'Where some failed, why, and how many for each: the code of an error, a step they went without as in `degraded`, or `not_kept`',
    ),
});

export const clearRequest = z.strictObject({
  collection: idSchema.optional().describe('Forget the results of this collection; without it, of all'),
});

export const cleared = z.object({ cleared: z.literal(true), collection: z.string().nullable() });
