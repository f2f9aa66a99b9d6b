import type { LongText } from '../long-text.js';
import type { Block } from '../parsed-document.js';
import type { Chunk, PageStart, SplittingOptions } from './chunk.js';
import { split } from './splitter.js';

/** Where a chunk lies: start, end, page, heading and, of a chunk over several pages, where the further ones begin. */
export type Place = readonly [number, number, number | null, string | null, null?, (readonly PageStart[])?];

/** What is known of a stretch of the text, as a {@link Place} says it; what stands between is of no matter here. */
export type KnownPlace = readonly [
  start: number,
  end: number,
  page: number | null,
  heading: string | null,
  metadata?: unknown,
  pageStarts?: readonly PageStart[],
];

/** What is cut at a time: a longer stretch would hold the event loop up, however few chunks are made of it. */
const WINDOW_UNITS = 2 ** 17;

/**
 * Cuts a text anew that was cut before. The file's structure is not kept, so paragraphs are found by blank lines, and pages
 * and headings are those of the chunks there were; no chunk spans two headings. Lazy.
 * @param known chunks of the text in order, at least one.
 */
export function* resplit(text: LongText, known: readonly KnownPlace[], options: SplittingOptions): Generator<Place> {
  const knownAt = follow(known);
  for (let from = 0; from < text.length;) {
    const window = windowOf(text.slice(from, from + WINDOW_UNITS), from + WINDOW_UNITS >= text.length);
    for (const { heading, blocks } of sectionsOf(window, (start) => knownAt(from + start))) {
      for (const chunk of split({ text: window, blocks }, options)) yield placeOf(chunk, from, heading);
    }
    from += window.length;
  }
}

function placeOf({ start, end, page, pageStarts }: Chunk, from: number, heading: string | null): Place {
  const place = [from + start, from + end, page, heading] as const;
  return pageStarts ? [...place, null, pageStarts.map(([at, next]) => [from + at, next] as const)] : place;
}

/** As much of a stretch as ends where a text may be cut: behind a blank line, else a line, else a word. */
function windowOf(stretch: string, isLast: boolean): string {
  if (isLast) return stretch;
  for (const gap of ['\n\n', '\n', ' ']) {
    const at = stretch.lastIndexOf(gap);
    if (at > stretch.length / 2) return stretch.slice(0, at + gap.length);
  }
  return stretch.isWellFormed() ? stretch : stretch.slice(0, -1); // half of a pair stays for the next
}

/** Gives the known chunk that a place lies in or behind; places are asked for in their order. */
function follow(known: readonly KnownPlace[]): (start: number) => KnownPlace | undefined {
  let at = 0;
  return (start) => {
    while (at + 1 < known.length && known[at + 1]![0] <= start) at += 1;
    return known[at];
  };
}

const pageAt = ([, , page, , , pageStarts]: KnownPlace, start: number): number | null =>
  pageStarts?.findLast(([from]) => from <= start)?.[1] ?? page;

function* sectionsOf(
  text: string,
  knownAt: (start: number) => KnownPlace | undefined,
): Generator<{ readonly heading: string | null; readonly blocks: readonly Block[] }> {
  let heading: string | null = null;
  let blocks: Block[] = [];
  for (const [start, end] of paragraphsOf(text)) {
    const known = knownAt(start);
    const own = known?.[3] ?? null;
    const page = known ? pageAt(known, start) : null;
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
