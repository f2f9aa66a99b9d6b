import { z } from 'zod';

/** What a name in a path must match: no database stores a NUL, and nobody sees the other control characters. */
export const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** Ids that are looked at more closely later. */
export const printableIdSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(printable, 'it may hold no control character')
  .describe('Id, at most 200 characters');

/** Ids that callers choose freely, of conversations and requests. In a path these two would name another one, whatever encodes them. */
export const freeIdSchema = printableIdSchema
  .refine((id) => id !== '.' && id !== '..', { error: 'An id may not be . or .. alone.' })
  .describe('Id, at most 200 characters, not `.` or `..`');

/** What the services that keep documents and collections take as their ids. */
const identifier = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._:@+-]*$/u;

/**
 * `identifier` for clients whose regular expressions know no Unicode classes: what ASCII and Latin-1 have besides letters and
 * digits is left out by name. Of other scripts it lets more pass than letters and digits.
 */
const portableIdentifier = (() => {
  const latinSigns = String.raw`\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7`;
  const first = String.raw`[^\u0000-\u002f\u003a-\u0040\u005b-\u0060${latinSigns}]`;
  const other = String.raw`[^\u0000-\u002a\u002c\u002f\u003b-\u003f\u005b-\u005e\u0060${latinSigns}]`;
  return `^${first}${other}*$`;
})();

const identifierOf = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(identifier, 'it may hold letters, digits and . _ : @ + - and begins with a letter or digit')
    .meta({
      description: `Id: 1 to ${most} letters (with their marks) and digits of any script or . _ : @ + -, the first a letter or digit`,
      pattern: portableIdentifier,
    });

/** Ids of documents and collections, the caller's own or made by ragmesh, and of all that ragmesh makes. */
export const idSchema = identifierOf(200);

/** The id of a document after what is done to which of its versions. */
export const operationIdSchema = identifierOf(240);

/** Query of a list: newest first, one page. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('Entries per page'),
  cursor: z.string().max(1000).default('').describe('`next_cursor` of the page before'),
});

/** A page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() });

/** An empty cursor means that this was the last page. */
export const nextCursor = (cursor: string): string | null => (cursor === '' ? null : cursor);
