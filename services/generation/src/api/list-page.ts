import { encodeCursor } from '@ragmesh/postgres';

const DEFAULT_PAGE = 50;
const MAX_PAGE = 200;

/** How many entries a page has when `limit` of them were asked for; 0 asks for no number. */
export const pageSize = (limit: number): number => Math.min(limit > 0 ? limit : DEFAULT_PAGE, MAX_PAGE);

/** The page out of one entry more than it takes, and the cursor of the next one: empty when there is none. */
export function pageOf<Row extends { readonly id: string; readonly created_micros: string }>(
  rows: readonly Row[],
  size: number,
): { readonly page: readonly Row[]; readonly nextCursor: string } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  const isMore = rows.length > size && last !== undefined;
  return { page, nextCursor: isMore ? encodeCursor({ createdMicros: last.created_micros, id: last.id }) : '' };
}
