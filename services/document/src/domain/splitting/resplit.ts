import type { Block } from '../parsed-document.js';
import type { SplittingOptions } from './chunk.js';
import { split } from './splitter.js';

/** What is known of a stretch of the text: where it begins, its page and its heading. */
export type KnownPlace = readonly [
  start: number,
  end: number,
  page: number | null,
  heading: string | null,
  ...unknown[],
];

/** Where a chunk lies: start, end, page and heading. */
export type Place = readonly [number, number, number | null, string | null];

/**
 * Cuts a text anew that was cut before. The file's structure is not kept, so paragraphs are found by blank lines, and pages
 * and headings are those of the chunks there were; no chunk spans two headings.
 * @param known chunks of the text in order, at least one.
 */
export function resplit(text: string, known: readonly KnownPlace[], options: SplittingOptions): Place[] {
  const places: Place[] = [];
  for (const { heading, blocks } of sectionsOf(text, known)) {
    for (const { start, end, page } of split({ text, blocks }, options)) places.push([start, end, page, heading]);
  }
  return places;
}

function* sectionsOf(
  text: string,
  known: readonly KnownPlace[],
): Generator<{ readonly heading: string | null; readonly blocks: readonly Block[] }> {
  let heading = known[0]?.[3] ?? null;
  let blocks: Block[] = [];
  let at = 0;
  for (const [start, end] of paragraphsOf(text)) {
    while (at + 1 < known.length && known[at + 1]![0] <= start) at += 1;
    const [, , page = null, own = null] = known[at] ?? [];
    if (own !== heading && blocks.length > 0) {
      yield { heading, blocks };
      blocks = [];
    }
    heading = own;
    const kind = text.slice(start, end).includes('\n') ? 'list' : 'paragraph'; // lines are kept whole
    blocks.push({ kind, start, end, ...(page === null ? {} : { page }) });
  }
  if (blocks.length > 0) yield { heading, blocks };
}

function* paragraphsOf(text: string): Generator<readonly [number, number]> {
  let start = 0;
  for (const { index, 0: gap } of text.matchAll(/\n[^\S\n]*\n\s*/g)) {
    if (index > start) yield [start, index];
    start = index + gap.length;
  }
  if (start < text.length) yield [start, text.length];
}
