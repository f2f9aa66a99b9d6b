import type { Span } from './source.js';

/** `prose`: may be cut into sentences. `row`: a table row, quoted whole. `fragment`: a heading or label, no statement. */
export interface TextBlock extends Span {
  readonly kind: 'prose' | 'row' | 'fragment';
}

interface Line extends Span {
  readonly text: string;
}

const FENCE = /^\s*(```|~~~)/;
const HEADING = /^\s{0,3}#{1,6}\s/;
const RULE = /^[\s|:=*_+-]+$/;
const TAG_ONLY = /^\s*<[^>]*>\s*$/;
const MARKER = /^\s*(?:[-*+•▪◦–>]\s+|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s+)+/;
const ROW = /^\s*\|.*\|\s*$|\t.*\t|^[^|]+\|[^|]+\|[^|]+/;
const CLOSED = /[.!?:;。！？；؟…۔।]["'”’»)\]）」』]*\s*$/u;
const MAX_LABEL = 60;

/**
 * Cuts a text into blocks a sentence cannot cross: paragraphs (hard-wrapped lines stay together), list items without
 * their marker, table rows without their outer bars. Code fences, Markdown headings, rules and lone tags are left out.
 * Lazy.
 */
export function* blocksOf(text: string): Generator<TextBlock> {
  let paragraph: Line[] = [];
  let fence: string | null = null;
  const flushed = (): TextBlock[] => {
    const blocks = paragraphBlocks(text, paragraph);
    paragraph = [];
    return blocks.filter(({ start, end }) => end > start);
  };
  for (const line of linesOf(text)) {
    const isCode = fence !== null || FENCE.test(line.text);
    fence = fenceAfter(line.text, fence);
    if (isCode || isOutside(line.text)) yield* flushed();
    else if (ROW.test(line.text)) {
      yield* flushed();
      const row = trimmed(text, line, /[\s|]/);
      if (row.end > row.start) yield { ...row, kind: 'row' };
    } else {
      const marker = markerLength(line.text);
      if (marker > 0) yield* flushed();
      paragraph.push({ ...line, start: line.start + marker });
      if (marker === 0 && endsParagraph(paragraph)) yield* flushed();
    }
  }
  yield* flushed();
}

/** The span without the characters of `edge` at both ends. */
export function trimmed(text: string, span: Span, edge = /\s/): Span {
  let { start, end } = span;
  while (start < end && edge.test(text[start]!)) start++;
  while (end > start && edge.test(text[end - 1]!)) end--;
  return { start, end };
}

/** The fence that is open after this line, or null outside code. */
function fenceAfter(line: string, open: string | null): string | null {
  const mark = FENCE.exec(line)?.[1];
  if (mark === undefined) return open;
  if (open === null) return mark;
  return mark === open ? null : open;
}

function markerLength(line: string): number {
  return MARKER.exec(line)?.[0].length ?? 0;
}

function isOutside(line: string): boolean {
  return line.trim() === '' || HEADING.test(line) || RULE.test(line) || TAG_ONLY.test(line);
}

function* linesOf(text: string): Generator<Line> {
  let start = 0;
  for (const line of text.split('\n')) {
    yield { text: line, start, end: start + line.length };
    start += line.length + 1;
  }
}

/** A line far shorter than the one before it, without closing punctuation, is where a wrapped paragraph ends. */
function endsParagraph(paragraph: readonly Line[]): boolean {
  const [last, before] = [paragraph.at(-1)!, paragraph.at(-2)];
  return before !== undefined && CLOSED.test(last.text) && last.text.length < 0.6 * before.text.length;
}

function paragraphBlocks(text: string, lines: readonly Line[]): TextBlock[] {
  if (lines.length === 0) return [];
  const [first, second] = lines;
  const isTitle = second !== undefined && isLabel(first!.text) && first!.text.length < 0.6 * second.text.length;
  const body = isTitle ? lines.slice(1) : lines;
  const span = trimmed(text, { start: body[0]!.start, end: body.at(-1)!.end });
  const alone = body.length === 1 && isLabel(text.slice(span.start, span.end));
  const title: TextBlock[] = isTitle ? [{ ...trimmed(text, first!), kind: 'fragment' }] : [];
  return [...title, { ...span, kind: alone ? 'fragment' : 'prose' }];
}

function isLabel(line: string): boolean {
  const isSpaced = /^[\p{sc=Latin}\p{sc=Cyrillic}\p{sc=Greek}\p{sc=Arabic}\p{P}\p{N}\p{S}\p{M}\s]+$/u.test(line);
  return isSpaced && line.trim().length <= MAX_LABEL && !CLOSED.test(line);
}
