import { z } from 'zod';
import { tenantPattern } from '@ragmesh/contracts';
import { ALL_TENANTS } from './chosen-tenant.js';
import { services } from './every-service.js';
import { freeIdSchema, pageQuery } from './paging.schema.js';

const MAX_IDS = 1000;
const statuses = ['parked', 'replaying', 'quarantined', 'replayed', 'discarded'] as const;
const time = z.string().nullable().describe('RFC 3339');

/** Place in a list that runs through all services: time in µs, then id. */
export const cursorSchema = z
  .string()
  .max(1000)
  .regex(/^(\d{16}\..+)?$/s, 'it must be the next_cursor of another page')
  .default('')
  .describe('`next_cursor` of the page before');

/** Whose a list is that operators can have of all tenants. */
export const tenantsSchema = z
  .string()
  .max(64)
  .regex(
    new RegExp(`^\\${ALL_TENANTS}$|${tenantPattern.source}`),
    'it must be * or letters, digits, _ and -, at most 64, the first a letter or digit',
  )
  .describe('Another tenant than your own, or `*` for all of them; for operators only');

const since = z.iso
  .datetime({ offset: true, error: 'it must be an RFC 3339 time with a zone' })
  .describe('Failed last at this time or later');

const filterFields = {
  code: z.string().min(1).max(100).optional().describe('Error code of the failure, its reason'),
  topic: z.string().min(1).max(249).optional().describe('Topic the event first lay on'),
  handler: z.string().min(1).max(200).optional(),
  service: z.enum(services as [string, ...string[]]).optional(),
  subject: freeIdSchema.optional().describe('Id of the document or the model the event is about'),
  since: since.optional(),
};

/** A letter's id begins with its topic, whose prefix may begin with any sign. */
export const deadLetterPath = z.object({ id: freeIdSchema });

export const listDeadLettersQuery = pageQuery.extend({
  cursor: cursorSchema,
  tenant: tenantsSchema.optional(),
  ...filterFields,
  status: z.enum(statuses).optional().describe('Left out: whatever is not replayed or discarded'),
});

export const deadLetterSchema = z.object({
  id: z.string(),
  tenant: z.string(),
  service: z.string(),
  handler: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.string(),
  event_id: z.string(),
  event_type: z.string(),
  subject: z.string(),
  code: z.string(),
  message: z.string(),
  attempts: z.int(),
  first_failed_at: time,
  last_failed_at: time,
  status: z.enum(statuses),
  replays: z.int().describe('Replays so far; at three in vain the letter is quarantined'),
});

const deadLetterGroup = z.object({
  tenant: z.string(),
  service: z.string(),
  code: z.string(),
  topic: z.string(),
  handler: z.string(),
  count: z.int(),
  oldest: time,
  newest: time,
});

const unavailable = z.array(z.string()).describe('Services that did not answer and are missing here');

export const deadLetterPage = z.object({
  data: z.array(deadLetterSchema),
  next_cursor: z.string().nullable(),
  groups: z
    .array(deadLetterGroup)
    .describe('How many letters of each tenant, reason, topic and handler match; on the first page only'),
  unavailable,
});

export const deadLetterDetail = deadLetterSchema.extend({
  headers: z.record(z.string(), z.string()),
  payload: z
    .record(z.string(), z.json())
    .nullable()
    .describe('Structure, numbers and ids; the length of every text in place of it. null: the bytes cannot be decoded'),
  payload_bytes: z.int(),
  trace_id: z.string(),
  note: z.string().describe('Why it was discarded'),
  replay_history: z.array(
    z.object({
      number: z.int(),
      requested_at: time,
      requested_by: z.string(),
      result: z.enum(['running', 'succeeded', 'failed']),
      code: z.string().nullable().describe('Why it failed again'),
      finished_at: time,
    }),
  ),
});

const selectionFields = {
  ids: z.array(freeIdSchema).min(1).max(MAX_IDS).optional(),
  filter: z.strictObject(filterFields).optional().describe('At least one field; parked letters that match all'),
  reason: filterFields.code.describe('Short for a filter by code'),
  limit: z.number().int().min(1).max(MAX_IDS).default(100).describe('Letters at most, oldest first'),
  dry_run: z.boolean().default(false).describe('Says what would happen and changes nothing'),
};

interface Selection {
  readonly ids?: readonly string[] | undefined;
  readonly filter?: object | undefined;
  readonly reason?: string | undefined;
}

/** A selection says what it is about in one way, and never "everything" by leaving something out. */
function checkSelection({ value, issues }: z.core.ParsePayload<Selection>): void {
  const { ids, filter, reason } = value;
  const ways = [ids, filter, reason].filter((way) => way !== undefined).length;
  const fault = (field: string, message: string): void =>
    void issues.push({ code: 'custom', path: [field], message, input: value });
  if (ways !== 1) fault('ids', 'Give one of the fields ids, filter and reason.');
  else if (filter && Object.keys(filter).length === 0) fault('filter', 'Field filter must have at least one field.');
}

export const replayBody = z
  .strictObject({
    ...selectionFields,
    rate: z.number().min(0.1).max(1000).default(20).describe('Events per second'),
  })
  .check(checkSelection);

export const discardBody = z
  .strictObject({
    ...selectionFields,
    note: z.string().trim().min(1).max(1000).describe('Why, for those who ask later'),
  })
  .check(checkSelection);

export const settlementSchema = z.object({
  dry_run: z.boolean(),
  matched: z.int().describe('Letters the selection matches, the limit left aside'),
  accepted: z.int(),
  refused: z.int(),
  letters: z.array(
    z.object({ id: z.string(), accepted: z.boolean(), code: z.string().nullable(), message: z.string().nullable() }),
  ),
  unavailable,
});
