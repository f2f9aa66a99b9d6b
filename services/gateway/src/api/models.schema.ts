import { z } from 'zod';

const model = z.string().min(1).max(300).describe('name or name@revision');

export const modelRequest = z.strictObject({ model });
export const pinRequest = z.strictObject({ model, pinned: z.boolean().default(true) });

/** A model of the registry, as an operator sees it. */
export const registeredModel = z.object({
  name: z.string(),
  revision: z.string(),
  task: z.string(),
  state: z.string().describe('known, downloading or loaded'),
  pinned: z.boolean(),
  progress: z.number().describe('Share of its bytes that are here, 0 to 1'),
  source: z.string(),
  dtype: z.string(),
  dimension: z.int(),
  max_tokens: z.int(),
  bytes: z.int(),
  holders: z.int().describe('Processes that hold it in memory'),
  memory_bytes: z.int(),
});
export const registeredModels = z.object({ data: z.array(registeredModel) });
