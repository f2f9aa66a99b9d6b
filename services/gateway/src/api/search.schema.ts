import { z } from 'zod';
import { endOffset, startOffset } from './offset.schema.js';
import { freeIdSchema, idSchema } from './paging.schema.js';

const searchFields = {
  query: z
    .string()
    .min(1)
    .max(8000)
    .refine((text) => text.trim() !== '', 'Field query must not be blank.'),
  collection: idSchema.default('default'),
  mode: z.enum(['hybrid', 'dense', 'lexical']).optional().describe('Which legs search. Default hybrid'),
  top_k: z.number().int().min(1).max(100).optional().describe('Most results. Default 10'),
  filters: z.record(z.string(), z.json()).optional().describe('Mongo-style filter over metadata'),
  alpha: z.number().min(0).max(1).optional().describe('Weight of the dense leg in weighted fusion. Default 0.6'),
  min_score: z
    .number()
    .min(0)
    .optional()
    .describe(
      'Least score of a result: BM25 in lexical mode, which may go far beyond 1; at most 1 everywhere else: cosine in dense mode, 0 to 1 in hybrid mode, with paraphrases and after reranking (in lexical mode by a cross-encoder only). Scores that were fused compare the hits of one search, so there the cosine must reach it too, unless a cross-encoder judged the hit',
    ),
  fusion: z
    .enum(['weighted', 'rrf'])
    .optional()
    .describe('How both legs become one list: weighted sum of scores, or reciprocal ranks. Default weighted'),
  rerank: z
    .boolean()
    .optional()
    .describe(
      'Order the best candidates anew, by the reranker of the server. The built-in one blends the scores of both legs: in lexical and dense mode it has nothing to blend, the order stays, and `degraded` has `rerank`',
    ),
  mmr: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Pass over what repeats a better result: 1 is relevance only, 0 novelty only'),
  multi_query: z.boolean().optional().describe('Search paraphrases too; needs a language model'),
  hyde: z
    .boolean()
    .optional()
    .describe('Search with an imagined answer beside the question (HyDE); needs a language model; not in lexical mode'),
  self_check: z
    .boolean()
    .optional()
    .describe(
      'Have a language model drop what does not support an answer, search once more when nothing does, and verify the answer',
    ),
  expand: z.boolean().optional().describe('Add neighbouring chunks, and those back to the heading'),
  granularity: z
    .enum(['chunk', 'parent'])
    .optional()
    .describe('parent gives the section a hit stands in, up to 8,000 characters. Default chunk'),
  explain: z
    .boolean()
    .optional()
    .describe('Show rank and score of each result in each leg, and what was dropped and why'),
};

export const searchRequest = z.strictObject(searchFields);
export type SearchInput = z.output<typeof searchRequest>;

export const queryRequest = z.strictObject({
  ...searchFields,
  stream: z.boolean().default(false).describe('Answer as server-sent events'),
  conversation_id: freeIdSchema.optional().describe('The question continues this conversation'),
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.number().int().min(1).max(8192).optional().describe('At most what the installation allows is used'),
  model: z.string().min(1).max(200).optional(),
});
export type QueryInput = z.output<typeof queryRequest>;

export const resultSchema = z.object({
  id: z.string(),
  document_id: z.string(),
  version: z.int(),
  score: z.number(),
  text: z.string(),
  start: startOffset,
  end: endOffset,
  page: z.int().nullable(),
  heading: z.string().nullable(),
  metadata: z.record(z.string(), z.json()),
  dense_score: z.number().optional().describe('Cosine; this and the following with explain'),
  lexical_score: z.number().optional().describe('BM25'),
  dense_rank: z.int().optional().describe('From 1, in the leg'),
  lexical_rank: z.int().optional(),
  fused_score: z.number().optional().describe('Before reranking'),
  rerank_score: z.number().optional(),
});

const dropped = z
  .array(
    z.object({
      id: z.string(),
      document_id: z.string(),
      version: z.int(),
      score: z.number(),
      reason: z.enum(['version', 'min_score', 'mmr', 'self_check', 'merged', 'top_k']),
    }),
  )
  .optional()
  .describe('With explain: up to 100 candidates that are no results, best first, and why');
const supported = z
  .boolean()
  .nullable()
  .optional()
  .describe('With self_check: whether the sources support an answer; null when that could not be checked');

const timings = z.record(z.string(), z.number()).describe('Milliseconds by stage');
const degraded = z.array(z.string()).describe('Every fallback taken');
/** What an answer went without. */
export const degradedAnswer = z
  .array(z.string())
  .describe('Every fallback taken; `context`: made from half of the chunks, since the server was nearly full');

const usage = z
  .object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    cost: z.number().nullable().describe('US dollars at the configured prices'),
  })
  .nullable()
  .describe('Of every call of a language model for this request');

export const searchAnswer = z.object({
  results: z.array(resultSchema),
  timings,
  degraded,
  dropped,
  supported,
  usage,
  request_id: z.string(),
});

export const citationSchema = z.object({
  index: z.int(),
  source: z.int(),
  document_id: z.string(),
  start: startOffset,
  end: endOffset,
  text: z.string(),
});

/** What is known once an answer is complete: the `done` event, and the frame of the JSON answer. */
export const completion = z.object({
  timings,
  degraded: degradedAnswer,
  cached: z.boolean().describe('Whether the sources were found before'),
  incomplete: z.boolean().describe('The answer was cut off by its provider or by max_tokens'),
  fallback_used: z.boolean().describe('Another way than the first provider gave the answer'),
  supported,
  usage,
  model: z.string(),
  conversation_id: z.string().nullable(),
  request_id: z.string(),
});

export const queryAnswer = completion.extend({
  answer: z.string(),
  citations: z.array(citationSchema),
  sources: z.array(resultSchema),
  dropped,
});
