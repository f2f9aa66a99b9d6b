import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance } from 'fastify';

/** Name of a member as the client wrote it: `filters.year`, `chunks[3].text`. */
export const memberPath = (parent: string, key: string | number): string =>
  typeof key === 'number' ? `${parent}[${key}]` : parent === '' ? key : `${parent}.${key}`;

/**
 * Refuses what no service could store or compare: NUL characters and halves of surrogate pairs, in any string or name, and
 * numbers too large for one.
 * @throws RagmeshError REQUEST.INVALID that names the field.
 */
export function refuseUnstorable(value: unknown, field = ''): void {
  if (!isStorable(value)) refuse(value, field);
}

/** Without the names of fields, which take longer to write than all else here, and are needed for a refusal only. */
function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isStorable);
  return Object.keys(value).every(
    (key) => key !== '__proto__' && isStorable(key) && isStorable((value as Record<string, unknown>)[key]),
  );
}

function refuse(value: unknown, field: string): void {
  if (typeof value === 'string') return refuseString(value, field);
  if (typeof value === 'number') return refuseNumber(value, field);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach((item, index) => refuse(item, memberPath(field, index)));
  for (const [key, member] of Object.entries(value)) {
    const path = memberPath(field, key);
    refuseString(key, memberPath(field, 'name'));
    if (key === '__proto__')
      throw new RagmeshError('REQUEST.INVALID', `Field ${path} has a reserved name.`, { field: path });
    refuse(member, path);
  }
}

const nameOf = (field: string): string => (field === '' ? 'The body' : `Field ${field}`);

/** JSON may write numbers of any size; one that is too large was read as infinite. */
function refuseNumber(number: number, field: string): void {
  if (Number.isFinite(number)) return;
  const fault = `${nameOf(field)} is beyond the largest number (about 1.8e308).`;
  throw new RagmeshError('REQUEST.INVALID', fault, { field });
}

function refuseString(text: string, field: string): void {
  const where = nameOf(field);
  if (text.includes('\0'))
    throw new RagmeshError('REQUEST.INVALID', `${where} contains a NUL character (U+0000).`, { field });
  if (!text.isWellFormed()) {
    throw new RagmeshError('REQUEST.INVALID', `${where} contains half of a surrogate pair (U+D800 to U+DFFF).`, {
      field,
    });
  }
}

/** Refuses such values in query strings, whatever their route makes of them. */
export function refuseUnstorableQueries(server: FastifyInstance): void {
  server.addHook('preValidation', async ({ query }) => refuseUnstorable(query));
}
