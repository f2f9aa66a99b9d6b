import { z } from 'zod';

const value = z.union([z.boolean(), z.number(), z.string()]).nullable();

export const flagSchema = z.object({
  name: z.string(),
  value: value.describe('null: the configuration decides'),
  variable: z.string().describe('Variable of the configuration that decides then'),
  type: z.enum(['boolean', 'number', 'string']),
  expected: z.string().describe('What a value may be'),
  read_by: z.string(),
  description: z.string(),
  changed_by: z.string().nullable().describe('Who set it last; null when nobody ever did'),
  changed_at: z.iso.datetime().nullable(),
});

export const flagsAnswer = z.object({ data: z.array(flagSchema) });

export const flagWithChanges = flagSchema.extend({
  changes: z
    .array(
      z.object({
        old_value: value,
        new_value: value,
        changed_by: z.string(),
        changed_at: z.iso.datetime(),
        request_id: z.string(),
      }),
    )
    .describe('The latest hundred, newest first'),
});

export const newFlag = z.strictObject({
  value: value.describe('null lets the configuration decide again'),
});
