import { errorCatalogue, type ErrorCode } from '@ragmesh/errors';
import { z } from 'zod';

/** Body of every failure (RFC 9457). */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What happened, with the field and the limit named'),
  code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]).describe('Stable'),
  retryable: z.boolean(),
  retry_after: z.number().nullable().describe('Seconds'),
  trace_id: z.string(),
  request_id: z.string(),
  help: z.string().describe('What to do next'),
  field: z.string().optional(),
  limit: z.union([z.number(), z.string()]).optional(),
});
