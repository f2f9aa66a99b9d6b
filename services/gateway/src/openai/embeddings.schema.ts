import { z } from 'zod';
import { usageSchema } from './chat.schema.js';

/** Most texts of one request, as OpenAI has it. */
const MAX_INPUTS = 2_048;

const text = z.string().min(1).max(100_000);
const NO_TOKENS =
  'Field input must be a text or a list of texts; token ids are not read here (LangChain: check_embedding_ctx_length=False).';

/** Body of an embeddings request. Fields that mean nothing here are left aside. */
export const embeddingsRequest = z.object({
  model: z.string().min(1).max(300),
  input: z
    .custom((value) => typeof value === 'string' || (Array.isArray(value) && value.every(isText)), NO_TOKENS)
    .transform((value) => (typeof value === 'string' ? [value] : value) as unknown[])
    .pipe(z.array(text).min(1).max(MAX_INPUTS))
    .meta({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }], maxItems: MAX_INPUTS }),
  encoding_format: z.enum(['float', 'base64']).nullish().describe('`base64`: float32, little endian'),
  dimensions: z
    .number()
    .int()
    .min(1)
    .nullish()
    .describe("At most the model's own; vectors are cut and normalised again"),
});
export type EmbeddingsInput = z.output<typeof embeddingsRequest>;

const isText = (item: unknown): boolean => typeof item === 'string';

export const embeddingsAnswer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  model: z.string(),
  usage: usageSchema.omit({ completion_tokens: true }),
});
