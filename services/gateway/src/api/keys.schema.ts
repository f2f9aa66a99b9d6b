import { z } from 'zod';
import { tenantPattern } from '@ragmesh/contracts';
import { roles } from '../auth/roles.js';
import { pageOf, pageQuery } from './paging.schema.js';

const role = z.enum(roles);
const tenant = z
  .string()
  .max(64)
  .regex(tenantPattern, 'it must be letters, digits, _ and -, at most 64, and begin with a letter or digit')
  .describe('Another tenant than your own; for operators only');

/** Whose keys are: `jwt:` and the `sub` of a token, or any name by which you know somebody. */
export const ownerSchema = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'it may hold no control character');

export const newKey = z.strictObject({
  name: z.string().trim().min(1).max(200).describe('What it is for, so that you know it in the list'),
  roles: z
    .array(role)
    .min(1)
    .max(roles.length)
    .describe("What it permits; only what you may do yourself. A key's roles are its scopes: it has no others"),
  tenant: tenant.optional(),
  owner: ownerSchema.optional().describe('Whose it is and with whom it ends; whose you are without it'),
  expires_at: z.iso
    .datetime({ offset: true, error: 'it must be a date and time such as 2027-01-31T00:00:00Z' })
    .nullish()
    .refine((text) => !text || new Date(text).getTime() > Date.now(), 'Field expires_at must be in the future.')
    .describe('When it ends by itself; never without it'),
});

export const tenantQuery = z.strictObject({ tenant: tenant.optional() });
export const keyQuery = tenantQuery;
export const keysQuery = pageQuery.extend({
  tenant: tenant.optional(),
  owner: ownerSchema.optional().describe('Only keys of this owner'),
});

export const keySchema = z.object({
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  roles: z.array(role).describe("What it permits: a key's roles are its scopes"),
  owner: z.string().describe('With whom it ends'),
  created_by: z.string(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable().describe('To the minute'),
  revoked_at: z.string().nullable(),
});
export const keyPage = pageOf(keySchema);
export const madeKey = keySchema.extend({ key: z.string().describe('The key itself. It is shown this once.') });

export const removedUser = z.object({
  id: z.string(),
  tenant: z.string(),
  revoked_keys: z.array(z.string()).describe('Ids of the keys that held until now'),
});
