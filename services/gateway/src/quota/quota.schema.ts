import { z } from 'zod';
import { tenantQuery } from '../api/keys.schema.js';

const MAX_REQUESTS = 10_000_000;
const MAX_TOKENS = 1_000_000_000_000;

const setting = (most: number, what: string) =>
  z.int().min(0).max(most).nullable().describe(`${what}; 0 sets no limit, null what the configuration says`);

/** Both at once: what is left out would otherwise be changed by accident. */
export const newQuota = z.strictObject({
  requests_per_minute: setting(MAX_REQUESTS, 'Requests in a minute'),
  tokens_per_day: setting(MAX_TOKENS, 'Tokens that models read and write in a day'),
});

export const quotaQuery = tenantQuery;

const used = (what: string) =>
  z.object({
    set: z.int().nullable().describe('What was set; null for what the configuration says'),
    limit: z.int().nullable().describe('What holds; null for no limit'),
    used: z.int().describe(`${what} of the running window`),
  });

export const quotaSchema = z.object({
  tenant: z.string(),
  key: z.string().nullable().describe('Id of the API key; null for the tenant as a whole'),
  requests_per_minute: used('Requests'),
  tokens_per_day: used('Tokens'),
  set_by: z.string().nullable(),
  set_at: z.string().nullable(),
});
