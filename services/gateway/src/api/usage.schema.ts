import { z } from 'zod';

const DAYS = 30;
const DAY_MS = 86_400_000;
const groups = ['tenant', 'model', 'day'] as const;
/** Beyond them, and the days before them, messages and database have no date. */
const YEARS = { first: 1970, last: 9998 } as const;

const isWithinYears = (time: Date): boolean =>
  time.getUTCFullYear() >= YEARS.first && time.getUTCFullYear() <= YEARS.last;

const descriptions = {
  since: `Start, ${DAYS} days before the end by default; its whole UTC day is counted`,
  until:
    'End, now by default; not included. Whole UTC days are counted: also all of the day that the last moment before it lies in',
} as const;

const instant = (name: string) =>
  z.iso
    .datetime({ offset: true, error: 'it must be a date and time such as 2026-01-31T00:00:00Z' })
    .transform((text) => new Date(text))
    .pipe(z.date().refine(isWithinYears, `Field ${name} must lie in the years ${YEARS.first} to ${YEARS.last}.`));

/** Which usage, and summed up how. */
export const usageQuery = z
  .strictObject({
    since: instant('since').optional().describe(descriptions.since),
    until: instant('until').optional().describe(descriptions.until),
    group_by: z
      .string()
      .max(100)
      .default('model')
      .transform((text) => text.split(',').map((name) => name.trim()))
      .pipe(z.array(z.enum(groups)).max(groups.length))
      .describe('Any of tenant, model and day, with commas between'),
    all_tenants: z.enum(['true', 'false']).default('false'),
  })
  .transform(({ since, until = new Date(), group_by: groupBy, all_tenants: allTenants }) => ({
    allTenants: allTenants === 'true',
    since: since ?? new Date(until.getTime() - DAYS * DAY_MS),
    until,
    groupBy: [...new Set(groupBy)],
  }))
  .refine(({ since, until }) => since < until, { path: ['since'], message: 'Field since must be before until.' });
export type UsageQuery = z.output<typeof usageQuery>;

/** The query as the API document shows it. */
export const usageParameters = z.object({
  since: z.iso.datetime({ offset: true }).optional().describe(descriptions.since),
  until: z.iso.datetime({ offset: true }).optional().describe(descriptions.until),
  group_by: z.string().optional().describe('Any of tenant, model and day, with commas between; model by default'),
  all_tenants: z.enum(['true', 'false']).optional().describe('Of every tenant, for operators; else of your own'),
});

const usageRow = z.object({
  tenant: z.string().optional(),
  model: z.string().optional(),
  day: z.string().optional(),
  requests: z.int(),
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  cost: z.number().nullable().describe('US dollars; null where a model in it has no price'),
});
export const usageReport = z.object({
  data: z.array(usageRow),
  since: z.string(),
  until: z.string(),
  group_by: z.array(z.enum(groups)),
});
