/** A passage an answer may quote. `text` is the document's canonical text from `start` to `end` (UTF-16 units). */
export interface Source {
  readonly id: string;
  readonly documentId: string;
  readonly version: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly page: number | null;
  readonly heading: string | null;
  readonly score: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A quote behind a marker `[index]`; `canonicalText.slice(start, end)` equals `text`. */
export interface Citation {
  /** The number in the answer, from 1. */
  readonly index: number;
  /** Position in the list of sources, from 0. */
  readonly source: number;
  readonly documentId: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A range of a source's text, relative to that text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Quotes `span` of the source at `position`; the marker number is the position counted from 1. */
export function quote(sources: readonly Source[], position: number, span: Span): Citation {
  const { documentId, start, text } = sources[position]!;
  return {
    index: position + 1,
    source: position,
    documentId,
    start: start + span.start,
    end: start + span.end,
    text: text.slice(span.start, span.end),
  };
}
