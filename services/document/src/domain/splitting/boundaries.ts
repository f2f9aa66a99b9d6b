import { spanOf, type Span } from './span.js';
import { estimateTokens } from './token-estimate.js';

/** Ways to cut a span, coarse to fine; each yields adjacent stretches that together cover the span. */
type Cut = (text: string, start: number, end: number) => Iterable<readonly [number, number]>;

const sentenceSegmenter = new Intl.Segmenter(undefined, { granularity: 'sentence' });
const wordSegmenter = new Intl.Segmenter(undefined, { granularity: 'word' });
const graphemeSegmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Segmenters convert the whole string they get; a bounded window keeps time and memory linear on a one-line file. */
const windowUnits = 16_384;

/**
 * Cuts a span into pieces of at most `limit` tokens at the coarsest boundary that is fine enough: line (for tables, lists
 * and code) or sentence, then word, then user-perceived character. Lazy: a megabyte of words never stands in memory.
 */
export function* piecesWithin(text: string, span: Span, limit: number, byLine: boolean): Generator<Span> {
  yield* refine(text, span, limit, byLine ? [lines, ...inLine] : inLine);
}

function* refine(text: string, span: Span, limit: number, cuts: readonly Cut[]): Generator<Span> {
  const [cut, ...finer] = cuts;
  if (span.tokens <= limit || !cut) {
    yield span;
    return;
  }
  for (const [start, end] of cut(text, span.start, span.end))
    yield* refine(text, spanOf(text, start, end), limit, finer);
}

/**
 * Where the repeated end of a passage begins: the earliest sentence start, else word start, from which at most `overlap`
 * tokens remain before `end`. Gives `end` when not even one word fits.
 */
export function overlapStart(text: string, start: number, end: number, overlap: number): number {
  const floor = Math.max(start, end - overlap * 12);
  for (const cut of [sentences, words]) {
    const parts = [...cut(text, floor, end)];
    // The window may begin inside a sentence or word, so what it begins with is never taken.
    let first = end;
    for (let tokens = 0; parts.length > 1; first = parts.pop()![0]) {
      tokens += estimateTokens(text, ...parts.at(-1)!);
      if (tokens > overlap) break;
    }
    if (first < end) return first;
  }
  return end;
}

function* lines(text: string, start: number, end: number): Generator<readonly [number, number]> {
  for (let from = start; from < end;) {
    const feed = text.indexOf('\n', from);
    const to = feed < 0 || feed >= end ? end : feed + 1;
    yield [from, to];
    from = to;
  }
}

function segments(segmenter: Intl.Segmenter): Cut {
  return function* (text, start, end) {
    for (let from = start; from < end;) {
      const to = end - from <= windowUnits ? end : windowEnd(text, from);
      let previous = from;
      for (const { index } of segmenter.segment(text.slice(from, to))) {
        if (index > 0) yield [previous, from + index];
        previous = from + index;
      }
      yield [previous, to];
      from = to;
    }
  };
}

const segmentedSentences = segments(sentenceSegmenter);

/** A full stop that nothing follows but the next letter, as in an address, or a bracket that is still open. */
const GOES_ON = /[.?!([{]/;

/** Unicode's rules (UAX #29) end a sentence at those, too: `1975.[14] The firm…` after the bracket. */
function* sentences(text: string, start: number, end: number): Generator<readonly [number, number]> {
  let from = start;
  for (const [, to] of segmentedSentences(text, start, end)) {
    if (to < end && GOES_ON.test(text[to - 1]!)) continue;
    yield [from, to];
    from = to;
  }
}

const words = segments(wordSegmenter);
const graphemes = segments(graphemeSegmenter);

function* codePoints(text: string, start: number, end: number): Generator<readonly [number, number]> {
  for (let from = start; from < end;) {
    const to = Math.min(end, from + (text.codePointAt(from)! > 0xffff ? 2 : 1));
    yield [from, to];
    from = to;
  }
}

/** A character may carry endless marks, so the last resort is the code point. */
const inLine: readonly Cut[] = [sentences, words, graphemes, codePoints];

/** End of the window from `from`: after white space if there is some, and never inside a surrogate pair or a cluster. */
function windowEnd(text: string, from: number): number {
  const limit = from + windowUnits;
  for (let index = limit; index > limit - windowUnits / 2; index -= 1) {
    if (/\s/.test(text.charAt(index - 1))) return index;
  }
  return clusterStart(text, limit);
}

/** The start of the user-perceived character at `index`, as far as 64 units of context tell. */
function clusterStart(text: string, index: number): number {
  let from = index - 64;
  if (isLowSurrogate(text.charCodeAt(from))) from -= 1;
  const around = graphemeSegmenter.segment(text.slice(from, index + 64)).containing(index - from);
  return around && around.index > 0 ? from + around.index : isLowSurrogate(text.charCodeAt(index)) ? index - 1 : index;
}

const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
