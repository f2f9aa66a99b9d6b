import { z } from 'zod';
import { idSchema } from './paging.schema.js';

const searchFields = {
  query: z
    .string()
    .min(1)
    .max(8000)
    .refine((text) => text.trim() !== '', 'Field query must not be blank.'),
  collection: idSchema.default('default'),
  mode: z.enum(['hybrid', 'dense', 'lexical']).default('hybrid'),
  top_k: z.number().int().min(1).max(100).default(10),
  filters: z.record(z.string(), z.json()).optional().describe('Mongo-style filter over metadata'),
  alpha: z.number().min(0).max(1).optional().describe('Weight of the dense leg'),
  min_score: z.number().min(0).max(1).optional(),
  rerank: z.boolean().optional(),
  expand: z.boolean().optional().describe('Add neighbouring chunks'),
  explain: z.boolean().optional().describe('Show the score of each leg'),
};

export const searchRequest = z.strictObject(searchFields);
export type SearchInput = z.output<typeof searchRequest>;

export const queryRequest = z.strictObject({
  ...searchFields,
  stream: z.boolean().default(false).describe('Answer as server-sent events'),
  conversation_id: idSchema.optional(),
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.number().int().min(1).max(8192).optional(),
  model: z.string().min(1).max(200).optional(),
});
export type QueryInput = z.output<typeof queryRequest>;

export const resultSchema = z.object({
  id: z.string(),
  document_id: z.string(),
  version: z.int(),
  score: z.number(),
  text: z.string(),
  start: z.int(),
  end: z.int(),
  page: z.int().nullable(),
  heading: z.string().nullable(),
  metadata: z.record(z.string(), z.json()),
  dense_score: z.number().optional(),
  lexical_score: z.number().optional(),
});

const timings = z.record(z.string(), z.number()).describe('Milliseconds by stage');
const degraded = z.array(z.string()).describe('Every fallback taken');

export const searchAnswer = z.object({ results: z.array(resultSchema), timings, degraded, request_id: z.string() });

export const citationSchema = z.object({
  index: z.int(),
  source: z.int(),
  document_id: z.string(),
  start: z.int(),
  end: z.int(),
  text: z.string(),
});

/** What is known once an answer is complete: the `done` event, and the frame of the JSON answer. */
export const completion = z.object({
  timings,
  degraded,
  cached: z.boolean(),
  usage: z.object({ prompt_tokens: z.int(), completion_tokens: z.int() }).nullable(),
  model: z.string(),
  conversation_id: z.string().nullable(),
  request_id: z.string(),
});

export const queryAnswer = completion.extend({
  answer: z.string(),
  citations: z.array(citationSchema),
  sources: z.array(resultSchema),
});
