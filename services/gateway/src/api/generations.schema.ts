import { z } from 'zod';
import { idSchema } from './paging.schema.js';
import { operationRef } from './document.schema.js';

/** How documents are cut, and by which model they are embedded, by a reindex. */
export const reindexRequest = z
  .strictObject({
    chunk_size: z
      .int()
      .min(32)
      .max(2048)
      .optional()
      .describe("Length of a chunk in tokens; without it the collection's own, else as it is"),
    chunk_overlap: z
      .int()
      .min(0)
      .max(1024)
      .optional()
      .describe('Tokens shared by neighbouring chunks, under half of chunk_size'),
    model: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe('Embedding model, name or name@revision; without it that of the live generation'),
  })
  .superRefine(({ chunk_size: size, chunk_overlap: overlap }, context) => {
    if (overlap === undefined) return;
    if (size === undefined)
      context.addIssue({ code: 'custom', path: ['chunk_size'], message: 'Field chunk_overlap needs chunk_size.' });
    else if (overlap * 2 >= size)
      context.addIssue({
        code: 'custom',
        path: ['chunk_overlap'],
        message: `Field chunk_overlap must be less than half of chunk_size (${size}).`,
      });
  });

export const generationParam = z.coerce.number().int().min(0).max(999_999_999);
export const collectionParam = idSchema;

/** A making of a collection's index that was promised. */
export const acceptedReindex = z.object({
  collection: z.string(),
  generation: z.int(),
  status: z.string(),
  operation: operationRef,
});

export const qualitySchema = z.object({
  questions: z.int(),
  overlap: z.number().describe('Share of the documents found before that it finds, too'),
  self_retrieval: z.number().describe('Share of questions that find the document they were made from'),
  live_self_retrieval: z.number(),
});

export const generationSchema = z.object({
  id: z.int(),
  state: z.enum(['building', 'live', 'previous', 'failed']),
  chunking: z.object({ size: z.int(), overlap: z.int() }).nullable().describe('null: as each upload said'),
  model: z.string().nullable().describe("Embedding model named for it; null: the installation's own"),
  documents: z.int(),
  points: z.int(),
  quality: qualitySchema.nullable(),
  error: z.object({ code: z.string(), message: z.string(), help: z.string() }).nullable(),
  operation: operationRef.nullable(),
  created_at: z.string().nullable(),
  drop_at: z.string().nullable().describe('When one kept for a rollback is removed'),
});

export const generationList = z.object({ data: z.array(generationSchema), next_cursor: z.null() });
