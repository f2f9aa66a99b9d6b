import { encodeCursor, type ListPosition } from './list-cursor.js';

/**
 * Most text that the rows of a page hold together. Where it is a list of short numbers, the message that takes it to another
 * service is up to four times as long, and must stay below 16 MiB.
 */
const MOST_TEXT = 4 * 1024 * 1024;

/** What {@link boundedPage} adds to the rows of a list. */
export interface ListedPlace {
  readonly id: string;
  readonly created_micros: string;
  /** Whether the list goes on after this one. */
  readonly has_next: boolean;
}

/**
 * The first rows of a list, so few that what callers wrote into them does not outgrow a message; one row at least.
 * @param list a statement whose rows have `id` and `created_at`, newest first, limited to one more than the page may have.
 */
export const boundedPage = (list: string): string => `
  SELECT * FROM (
    SELECT listed.*, lead(id) OVER newest IS NOT NULL AS has_next, row_number() OVER newest AS place,
           sum(octet_length(listed::text)) OVER newest AS held
    FROM (${list}) AS listed
    WINDOW newest AS (ORDER BY created_at DESC, id DESC ROWS UNBOUNDED PRECEDING)) AS page
  WHERE place = 1 OR held <= ${MOST_TEXT} ORDER BY created_at DESC, id DESC`;

/** The rows of one page, and the cursor of the next one; empty after the last. */
export function listPage<Row extends ListedPlace>(
  rows: readonly Row[],
  size: number,
): { readonly page: readonly Row[]; readonly nextCursor: string } {
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return { page, nextCursor: last?.has_next ? encodeCursor(positionOf(last)) : '' };
}

const positionOf = ({ created_micros: createdMicros, id }: ListedPlace): ListPosition => ({ createdMicros, id });
