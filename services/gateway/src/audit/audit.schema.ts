import { z } from 'zod';
import { pageOf, pageQuery } from '../api/paging.schema.js';
import { tenantQuery } from '../api/keys.schema.js';

const MAX_TEXT = 400;
const instant = z.iso
  .datetime({ offset: true, error: 'it must be a date and time such as 2026-01-31T00:00:00Z' })
  .optional();
const exact = (what: string) => z.string().min(1).max(MAX_TEXT).optional().describe(what);

export const auditQuery = pageQuery.extend({
  tenant: tenantQuery.shape.tenant,
  actor: exact('Only of this actor, such as key:0123456789abcdef'),
  action: exact('Only of this action, such as DELETE /v1/documents/{id}'),
  target: exact('Only of what has this id'),
  since: instant.describe('Only from this time on'),
  until: instant.describe('Only before this time'),
  cursor: z
    .string()
    .regex(/^\d{0,18}$/, 'it must be `next_cursor` of the page before')
    .default('')
    .describe('`next_cursor` of the page before'),
});

export const auditEntry = z.object({
  id: z.string(),
  at: z.string(),
  actor: z.string().describe('`key:<id>`, `jwt:<subject>`, or `anonymous` while authentication is off'),
  actor_tenant: z.string(),
  tenant: z.string().describe('The tenant it was done to'),
  action: z.string().describe('The route'),
  target: z.string().nullable().describe('What the path named; parts with / between'),
  made: z.array(z.string()).describe('Ids of what was made'),
  status: z
    .int()
    .nullable()
    .describe('HTTP status it ended with; null while it runs, or when its server ended before it did'),
  code: z.string().nullable().describe('Code of the problem, where it failed'),
  request_id: z.string(),
  trace_id: z.string(),
});
export const auditPage = pageOf(auditEntry);
