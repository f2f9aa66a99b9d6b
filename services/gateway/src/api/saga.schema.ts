import { z } from 'zod';
import { ALL_TENANTS } from './chosen-tenant.js';
import { cursorSchema, tenantsSchema } from './dead-letter.schema.js';
import { services } from './every-service.js';
import { pageQuery } from './paging.schema.js';

const states = ['running', 'compensating', 'compensation_failed', 'completed', 'failed', 'aborted'] as const;
const ended: readonly string[] = ['completed', 'failed', 'aborted'];
const time = z.string().nullable().describe('RFC 3339');
const failure = z.object({ code: z.string(), message: z.string() }).nullable();

/** A saga's id: its service, a dot, a UUID. */
export const sagaId = z
  .string()
  .regex(/^[a-z]+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'it must be the id of a saga, as the list names it')
  .describe('Service, a dot and a UUID');

/** Sagas that ended pile up, so they are found of one tenant only; an empty list would say that there are none. */
function checkState({
  value,
  issues,
}: z.core.ParsePayload<{ tenant?: string | undefined; state?: string | undefined }>) {
  if (value.tenant !== ALL_TENANTS || !ended.includes(value.state ?? '')) return;
  const message = 'Field state must be one that has not ended where tenant is *.';
  issues.push({ code: 'custom', path: ['state'], message, input: value });
}

const listFields = pageQuery.extend({
  cursor: cursorSchema,
  tenant: tenantsSchema
    .describe(`${tenantsSchema.description}. Of all tenants only sagas that have not ended`)
    .optional(),
  kind: z.string().min(1).max(100).optional().describe('Name of the saga, document-ingestion say'),
  state: z.enum(states).optional().describe('compensation_failed is the part of compensating that gets nowhere'),
  overdue: z.enum(['true', 'false']).optional().describe('true: only sagas past the deadline of their step'),
  service: z.enum(services as [string, ...string[]]).optional(),
});
export const listSagasQuery = listFields.check(checkState);

export const sagaSchema = z.object({
  id: z.string(),
  tenant: z.string(),
  service: z.string(),
  kind: z.string(),
  state: z.enum(states),
  step: z.string().describe('The running step, or the one being undone'),
  attempts: z.int().describe('How often the step, or its undo, was asked for'),
  overdue: z.boolean(),
  error: failure.describe('Why it is being undone, or ended'),
  compensation_error: failure.describe('Why undoing gets nowhere'),
  deadline: time,
  created_at: time,
  updated_at: time,
});

export const sagaPage = z.object({
  data: z.array(sagaSchema),
  next_cursor: z.string().nullable(),
  unavailable: z.array(z.string()).describe('Services that did not answer and are missing here'),
});

export const sagaDetail = sagaSchema.extend({
  data: z.record(z.string(), z.json()).describe('What the saga knows: ids and counts'),
  trace_id: z.string(),
  timeline: z.array(
    z.object({
      step: z.string(),
      status: z.string().describe('started, done, failed, resent, undo resent, resumed, …'),
      detail: z.string().nullable().describe('Error code, where there was one'),
      at: time,
    }),
  ),
});

export const abortBody = z.strictObject({
  reason: z.string().trim().min(1).max(1000).describe('Told to whoever waits for the saga'),
});
