import { sentenceEnd } from './sentence-end.js';
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

/** Longer than any sentence: a text that is nothing but abbreviations is not to be held as a single one. */
const MAX_HELD = 10 * MAX_SENTENCE;

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
/** A Markdown link and nothing beside it, as in a table of contents. */
const BARE_LINK = /^!?\[[^\]]*\]\([^)]*\)$/;
const CLAUSE_END = /[,;:，、；،\s]/u;

/** Sentences in reading order, in every language; code and lines of symbols are left out. */
export const sentencesOf = (text: string): Sentence[] => [...sentencesIn(text)].filter((sentence) => sentence !== null);

/**
 * Those of the first `room` UTF-16 units, without one that is cut there; null for what is left out. Lazy: who reads a long text
 * can let other work go first.
 */
export function* sentencesWithin(text: string, room: number): Generator<Sentence | null> {
  let latest: Sentence | null = null;
  for (const sentence of sentencesIn(text.slice(0, room))) {
    yield sentence && latest;
    latest = sentence ?? latest;
  }
  if (text.length <= room) yield latest;
}

function* sentencesIn(text: string): Generator<Sentence | null> {
  for (const block of blocksOf(text)) {
    for (const span of spansOf(text, block)) {
      const sentence = text.slice(span.start, span.end);
      const isStatement = block.kind !== 'fragment' && !BARE_LINK.test(sentence);
      yield isReadable(sentence) ? { ...span, text: sentence, isStatement } : null;
    }
  }
}

function* spansOf(text: string, block: TextBlock): Generator<Span> {
  for (const whole of block.kind === 'prose' ? segmented(text, block) : [block])
    for (const part of shortened(text, whole)) yield trimmed(text, part);
}

/** A line break inside a paragraph is only wrapping; the segmenter would end a sentence there. */
function* segmented(text: string, block: Span): Generator<Span> {
  const flat = text.slice(block.start, block.end).replace(/[\r\n]/g, ' ');
  let start = 0;
  for (const { index } of segmenter.segment(flat)) {
    if (index <= start) continue;
    const end = sentenceEnd(flat, start, index) ?? (index - start > MAX_HELD ? index : undefined);
    if (end === undefined) continue;
    yield { start: block.start + start, end: block.start + end };
    start = end;
  }
  if (start < flat.length) yield { start: block.start + start, end: block.end };
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
