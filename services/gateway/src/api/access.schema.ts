import { z } from 'zod';
import { decodePrincipal, encodePrincipal } from './principal-name.js';

const MAX_PRINCIPALS = 100;
const kinds = ['key', 'jwt', 'group', 'role'] as const;
const shape = new RegExp(`^(${kinds.join('|')}):[^\\p{Cc}]{1,200}$`, 'u');

/** Whom an access list may name, as a person writes it. */
const principal = z
  .string()
  .max(210)
  .regex(shape, 'it must name whom to admit, such as key:<id>, jwt:<sub>, group:<name> or role:reader');

/** Who may read something; null: everyone of the tenant. */
export const accessSchema = z
  .array(principal)
  .max(MAX_PRINCIPALS)
  .nullable()
  .describe('Who may read it: `key:<id>`, `jwt:<sub>`, `group:<name>` or `role:<role>`; null: everyone of the tenant');

export const accessChange = z.strictObject({ access: accessSchema });

interface ListMessage {
  readonly restricted: boolean;
  readonly principals: string[];
}

/** As services compare it: {@link encodePrincipal} of each. */
export const accessMessage = (access: readonly string[] | null): ListMessage => ({
  restricted: access !== null,
  principals: [...new Set((access ?? []).map(encodePrincipal))],
});

export const accessBody = (access: Readonly<ListMessage> | undefined): string[] | null =>
  access?.restricted ? access.principals.map(decodePrincipal) : null;
