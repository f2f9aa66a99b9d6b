import { z } from 'zod';
import { freeIdSchema, idSchema } from '../api/paging.schema.js';
import { citationSchema, degradedAnswer, resultSchema } from '../api/search.schema.js';

const MAX_MESSAGES = 1_000;

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(textPart)], 'Only text is read here.').nullish(),
});
export type ChatMessage = z.output<typeof message>;

/** As many and as long as can be looked for in every piece of an answer. */
const MAX_STOPS = 4;
const stop = z.string().min(1).max(500);

/**
 * Body of a chat completion. OpenAI's clients send many fields; those that mean nothing here are left aside, those that are
 * known must have their type, and those that would have the answer be another thing than cited text are refused.
 */
export const chatRequest = z.object({
  model: z.string().min(1).max(300).describe('`ragmesh`, or `ragmesh/<collection>`'),
  messages: z.array(message).min(1).max(MAX_MESSAGES),
  stream: z.boolean().nullish().describe('Answer as server-sent events; false by default'),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  stop: z
    .union([stop, z.array(stop).max(MAX_STOPS)], `It must be one to ${MAX_STOPS} texts of at most 500 characters.`)
    .nullish()
    .describe('The answer ends before the first of these'),
  response_format: z.object({ type: z.literal('text') }).nullish(),
  tool_choice: z.enum(['auto', 'none']).nullish().describe('No tool is called here'),
  logprobs: z.literal(false).nullish(),
  n: z.literal(1, 'Field n must be 1.').nullish(),
  collection: idSchema.nullish().describe('Collection to answer from, instead of the one the model names'),
  top_k: z.number().int().min(1).max(100).nullish(),
  mode: z.enum(['hybrid', 'dense', 'lexical']).nullish(),
  filters: z.record(z.string(), z.json()).nullish().describe('Mongo-style filter over metadata'),
  min_score: z.number().min(0).nullish(),
  rerank: z.boolean().nullish(),
  conversation_id: freeIdSchema.nullish(),
});
export type ChatInput = z.output<typeof chatRequest>;

export const usageSchema = z.object({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() });
const finishReason = z.enum(['stop', 'length']);

/** What an answer of ragmesh has beyond OpenAI's. */
const grounding = {
  sources: z.array(resultSchema).describe('What the answer was built from'),
  citations: z.array(citationSchema).describe('`[n]` in the text and the passage it quotes'),
  degraded: degradedAnswer,
};

export const chatCompletion = z.object({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
      logprobs: z.null(),
      finish_reason: finishReason,
    }),
  ),
  usage: usageSchema,
  system_fingerprint: z.null(),
  ...grounding,
});

/** One event of a streamed completion. The first one has the sources, the one with `finish_reason` the citations. */
export const chatChunk = z.object({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.object({
      index: z.literal(0),
      delta: z.object({ role: z.literal('assistant').optional(), content: z.string().optional() }),
      logprobs: z.null(),
      finish_reason: finishReason.nullable(),
    }),
  ),
  usage: usageSchema.nullable().optional(),
  system_fingerprint: z.null(),
  sources: grounding.sources.optional(),
  citations: grounding.citations.optional(),
  degraded: grounding.degraded.optional(),
});
