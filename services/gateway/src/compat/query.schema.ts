import { z } from 'zod';
import { freeIdSchema, idSchema } from '../api/paging.schema.js';
import { citationSchema, degradedAnswer } from '../api/search.schema.js';

const question = z
  .string()
  .min(1)
  .max(8000)
  .refine((text) => text.trim() !== '', 'The question must not be blank.');
const metadata = z.record(z.string(), z.json());
const filters = metadata.nullish().describe('Mongo-style filter over metadata');
const topK = z.number().int().min(1).max(100).nullish();

/** Body of `/query` and `/query/stream`. Existing clients send more; what has no meaning here is left aside. */
export const rootQuery = z.object({
  query: question,
  top_k: topK,
  rerank: z.boolean().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  filters,
  stream: z.boolean().nullish().describe('Answer as `/query/stream` does'),
  conversation_id: freeIdSchema.nullish(),
});
export type RootQuery = z.output<typeof rootQuery>;

export const rootAnswer = z.object({
  answer: z.string(),
  sources: z.array(
    z.object({
      id: z.string(),
      text: z.string(),
      content: z.string().describe('As text'),
      score: z.number(),
      metadata: metadata.describe(
        "The document's own fields, and document_id, version, start, end (see /v1/search), page and heading of the source, which take the place of own fields of these names",
      ),
    }),
  ),
  latency_ms: z.number(),
  cache_hit: z.boolean(),
  cached: z.boolean().describe('As cache_hit'),
});

/** The body has no place to say so. */
export const INCOMPLETE_HEADER = 'X-Answer-Incomplete';
export const rootAnswerHeaders = z.object({
  [INCOMPLETE_HEADER]: z.literal('true').optional().describe('The answer was cut off; absent where it is whole'),
});

/** The events of `/query/stream`, in this order; `error` ends a stream that fails, and an answer that was cut off. */
export const rootEvent = z.union([
  z.object({ type: z.literal('sources'), data: z.array(z.object({ id: z.string(), score: z.number() })) }),
  z.object({ type: z.literal('content'), text: z.string() }),
  z.object({ type: z.literal('done') }),
  z.object({ type: z.literal('error'), message: z.string(), code: z.string(), retry_after: z.number().nullable() }),
]);

const apiFields = {
  top_k: topK,
  collection: idSchema.nullish(),
  filters,
  min_score: z.number().min(0).max(1).nullish(),
  conversation_id: freeIdSchema.nullish(),
};

/** Body of `/api/v1/query`. */
export const apiQuery = z
  .object({ question: question.optional(), query: question.optional().describe('As question'), ...apiFields })
  .superRefine((input, context) => {
    if ((input.question === undefined) !== (input.query === undefined)) return;
    const message = 'Exactly one of question and query must be given.';
    context.addIssue({ code: 'custom', path: ['question'], message });
  });
export type ApiQuery = z.output<typeof apiQuery>;

export const apiAnswer = z.object({
  answer: z.string().nullable().describe('null when no language model is configured'),
  sources: z.array(
    z.object({
      id: z.string(),
      document_id: z.string(),
      text: z.string(),
      score: z.number(),
      page: z.int().nullable(),
      metadata,
    }),
  ),
  citations: z.array(citationSchema),
  timings: z.record(z.string(), z.number()).describe('Milliseconds by stage'),
  degraded: degradedAnswer,
  incomplete: z.boolean().describe('The answer was cut off'),
  request_id: z.string(),
});
