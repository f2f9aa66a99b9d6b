import { RagmeshError } from '@ragmesh/errors';
import type { FastifyInstance } from 'fastify';

/** Name of a member as the client wrote it: `filters.year`, `chunks[3].text`. */
export const memberPath = (parent: string, key: string | number): string =>
  typeof key === 'number' ? `${parent}[${key}]` : parent === '' ? key : `${parent}.${key}`;

/**
 * Refuses text no service could store or compare: NUL characters and halves of surrogate pairs, in any string or name.
 * @throws RagmeshError REQUEST.INVALID that names the field.
 */
export function refuseUnstorableText(value: unknown, field = ''): void {
  if (typeof value === 'string') return refuseString(value, field);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach((item, index) => refuseUnstorableText(item, memberPath(field, index)));
  for (const [key, member] of Object.entries(value)) {
    const path = memberPath(field, key);
    refuseString(key, memberPath(field, 'name'));
    if (key === '__proto__')
      throw new RagmeshError('REQUEST.INVALID', `Field ${path} has a reserved name.`, { field: path });
    refuseUnstorableText(member, path);
  }
}

function refuseString(text: string, field: string): void {
  const where = field === '' ? 'The body' : `Field ${field}`;
  if (text.includes('\0'))
    throw new RagmeshError('REQUEST.INVALID', `${where} contains a NUL character (U+0000).`, { field });
  if (!text.isWellFormed()) {
    throw new RagmeshError('REQUEST.INVALID', `${where} contains half of a surrogate pair (U+D800 to U+DFFF).`, {
      field,
    });
  }
}

/** Refuses such text in query strings, whatever their route makes of them. */
export function refuseUnstorableQueries(server: FastifyInstance): void {
  server.addHook('preValidation', async ({ query }) => refuseUnstorableText(query));
}
