import { RagmeshError } from '@ragmesh/errors';
import type { KeptTurn } from './turn.js';

/** Most text of one page in UTF-16 units: at three bytes each it stays under the size of a message. */
const MAX_PAGE_TEXT = 4_000_000;

/** @returns the ordinal after which a page starts. @throws RagmeshError REQUEST.INVALID for a made-up cursor. */
export function turnCursor(cursor: string): number {
  if (!/^\d{0,9}$/.test(cursor)) {
    throw new RagmeshError('REQUEST.INVALID', 'cursor is not one that this list gave.', { field: 'cursor' });
  }
  return Number(cursor);
}

/** As many of the turns as make a page, at least one, and the cursor of the next page: empty after the last one. */
export function turnPage(
  turns: readonly KeptTurn[],
  size: number,
): { readonly page: readonly KeptTurn[]; readonly nextCursor: string } {
  let length = 0;
  const tooLong = turns.findIndex(({ text }, position) => (length += text.length) > MAX_PAGE_TEXT && position > 0);
  const page = turns.slice(0, tooLong < 0 ? size : Math.min(size, tooLong));
  return { page, nextCursor: page.length < turns.length ? String(page.at(-1)!.ordinal) : '' };
}
