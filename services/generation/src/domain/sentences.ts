import type { Span } from './source.js';
import { blocksOf, trimmed, type TextBlock } from './text-blocks.js';

/** A statement that can be quoted; `text` is exactly the span of the given text. */
export interface Sentence extends Span {
  readonly text: string;
  /** False for a heading, a label or a bare link: worth quoting only where a source has nothing else. */
  readonly isStatement: boolean;
}

/** Longest quote in UTF-16 units; a longer sentence (or Thai, which has no full stop) is cut at a clause or a space. */
export const MAX_SENTENCE = 400;

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
const ABBREVIATION =
  /(?:^|[\s(])(?:\p{L}|e\.g|i\.e|z\. ?B|d\. ?h|Dr|Mr|Mrs|Ms|Prof|St|No|Nr|Fig|Eq|Sec|vs|etc|al|ca|bzw|approx|Abs|Art|Bd|\d{1,3})\.\s*$/u;
/** A Markdown link and nothing beside it, as in a table of contents. */
const BARE_LINK = /^!?\[[^\]]*\]\([^)]*\)$/;
const CLAUSE_END = /[,;:，、；،\s]/u;

/** Sentences in reading order, in every language; code and lines of symbols are left out. */
export function sentencesOf(text: string): Sentence[] {
  return blocksOf(text)
    .flatMap((block) => spansOf(text, block).map((span) => ({ span, isStatement: block.kind !== 'fragment' })))
    .map(({ span, isStatement }) => ({ ...span, text: text.slice(span.start, span.end), isStatement }))
    .map((sentence) => ({ ...sentence, isStatement: sentence.isStatement && !BARE_LINK.test(sentence.text) }))
    .filter((sentence) => isReadable(sentence.text));
}

function spansOf(text: string, block: TextBlock): Span[] {
  const whole = block.kind === 'prose' ? segmented(text, block) : [block];
  return whole.flatMap((span) => shortened(text, span)).map((span) => trimmed(text, span));
}

/** A line break inside a paragraph is only wrapping; the segmenter would end a sentence there. */
function segmented(text: string, block: Span): Span[] {
  const flat = text.slice(block.start, block.end).replace(/[\r\n]/g, ' ');
  const spans: { start: number; end: number }[] = [];
  for (const { segment, index } of segmenter.segment(flat)) {
    const previous = spans.at(-1);
    const end = block.start + index + segment.length;
    if (previous && ABBREVIATION.test(flat.slice(previous.start - block.start, previous.end - block.start)))
      previous.end = end;
    else spans.push({ start: block.start + index, end });
  }
  return spans;
}

function shortened(text: string, span: Span): Span[] {
  const parts: Span[] = [];
  let { start } = span;
  while (span.end - start > MAX_SENTENCE) {
    const end = cutBefore(text, start, start + MAX_SENTENCE);
    parts.push({ start, end });
    start = end;
  }
  return [...parts, { start, end: span.end }];
}

function cutBefore(text: string, start: number, limit: number): number {
  for (let end = limit; end > start + MAX_SENTENCE / 2; end--) if (CLAUSE_END.test(text[end - 1]!)) return end;
  const isInsidePair = /[\udc00-\udfff]/.test(text[limit]!);
  return isInsidePair ? limit - 1 : limit;
}

function isReadable(sentence: string): boolean {
  const solid = sentence.replace(/\s/g, '').length;
  const letters = sentence.match(/[\p{L}\p{M}]/gu)?.length ?? 0;
  const digits = sentence.match(/\p{N}/gu)?.length ?? 0;
  return letters >= 2 && (letters + digits) / solid >= 0.6 && !/[;{]\s*$|=>|\(\)\s*[;{]/.test(sentence);
}
