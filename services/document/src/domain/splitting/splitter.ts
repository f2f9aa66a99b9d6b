import type { ParsedDocument } from '../parsed-document.js';
import { overlapStart, piecesWithin } from './boundaries.js';
import type { Chunk, PageStart, SplittingOptions } from './chunk.js';
import { commonHeading, placedBlocks, type PlacedBlock } from './section.js';
import { spanOf, trimmed, type Span } from './span.js';
import { estimateTokens } from './token-estimate.js';

/** Below this share of a chunk a section is too small to stand alone and may be joined by the next one. */
const tinyShare = 0.25;

/**
 * Splits along the structure of the document: sections stay apart unless one is tiny, then paragraphs, sentences, words
 * and characters are kept whole in that order. Every chunk is an exact slice of the text, has no white space at its ends,
 * and is at most `chunkSize` estimated tokens long. All text inside blocks is covered. Linear in the text; lazy.
 */
export function* split(document: Pick<ParsedDocument, 'text' | 'blocks'>, options: SplittingOptions): Generator<Chunk> {
  const { text } = document;
  const limit = Math.max(1, Math.floor(options.chunkSize));
  const overlap = Math.max(0, Math.min(Math.floor(options.overlap), Math.floor((limit - 1) / 2)));
  let open: OpenChunk | null = null;
  let index = 0;
  for (const block of placedBlocks(document)) {
    for (const piece of piecesWithin(text, spanOf(text, block.start, block.end), limit, block.kind !== 'paragraph')) {
      if (open && fits(open, block, piece, limit)) {
        extend(open, block, piece);
        continue;
      }
      const chunk = open && close(text, open, index);
      if (chunk) index += 1;
      if (chunk) yield chunk;
      open = begin(text, open, block, piece, { limit, overlap });
    }
  }
  const last = open && close(text, open, index);
  if (last) yield last;
}

interface OpenChunk {
  start: number;
  end: number;
  tokens: number;
  section: number;
  heading: string | null;
  /** Whether only headings are inside so far: those belong to what follows. */
  onlyHeadings: boolean;
  /** Where pages begin, from the one on which the chunk does. */
  readonly pages: PageStart[];
}

function fits(open: OpenChunk, block: PlacedBlock, piece: Span, limit: number): boolean {
  if (open.tokens + piece.tokens > limit) return false;
  return block.section === open.section || open.onlyHeadings || open.tokens < limit * tinyShare;
}

function extend(open: OpenChunk, block: PlacedBlock, piece: Span): void {
  addPage(open.pages, block, piece);
  const sameSection = block.section === open.section;
  open.heading = open.onlyHeadings || sameSection ? deeper(open, block) : commonHeading(open.heading, block.heading);
  open.onlyHeadings &&= block.kind === 'heading';
  open.end = piece.end;
  open.tokens += piece.tokens;
  open.section = block.section;
}

function addPage(pages: PageStart[], { page }: PlacedBlock, { start }: Span): void {
  if (page !== undefined && page !== pages.at(-1)?.[1]) pages.push([start, page]);
}

/** Headings in a row lead to the innermost; a merged chunk keeps what its sections share. */
const deeper = (open: OpenChunk, block: PlacedBlock) => (open.onlyHeadings ? block.heading : open.heading);

function begin(
  text: string,
  previous: OpenChunk | null,
  block: PlacedBlock,
  piece: Span,
  { limit, overlap }: { limit: number; overlap: number },
): OpenChunk {
  const room = Math.min(overlap, limit - piece.tokens);
  const repeats = previous?.section === block.section && room > 0 && !previous.onlyHeadings;
  const start = repeats ? overlapStart(text, previous.start, previous.end, room) : piece.start;
  const repeated = repeats && start < previous.end;
  const pages = repeated ? pagesFrom(start, previous.pages) : [];
  addPage(pages, block, piece);
  return {
    start: repeated ? start : piece.start,
    end: piece.end,
    tokens: piece.tokens + (repeated ? estimateTokens(text, start, previous.end) : 0),
    section: block.section,
    heading: block.heading,
    onlyHeadings: block.kind === 'heading',
    pages,
  };
}

/** As many of the pages as there are left from a place on; the first is the one that this place is on. */
function pagesFrom(start: number, pages: readonly PageStart[]): PageStart[] {
  const first = pages.findLastIndex(([from]) => from <= start);
  return pages.slice(Math.max(0, first));
}

function close(text: string, open: OpenChunk, index: number): Chunk | null {
  const span = trimmed(text, open.start, open.end);
  if (!span) return null;
  const pages = pagesFrom(span.start, open.pages).filter(([from]) => from < span.end);
  const page = pages[0] && pages[0][0] <= span.start ? pages.shift()![1] : null;
  const chunk = { index, text: text.slice(span.start, span.end), ...span, page, heading: open.heading };
  return pages.length > 0 ? { ...chunk, pageStarts: pages } : chunk;
}
