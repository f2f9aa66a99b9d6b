import { z } from 'zod';

/** What a name in a path must match: no database stores a NUL, and nobody sees the other control characters. */
export const printable = /^[^\p{Cc}\p{Cs}]*$/u;

/** Ids of documents, collections and operations: made by ragmesh, or the caller's own. */
export const idSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(printable, 'it may hold no control character')
  .describe('Id, at most 200 characters');

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
