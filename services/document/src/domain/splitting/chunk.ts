/** A place in the text from which on it is on this page, up to the next such place. */
export type PageStart = readonly [start: number, page: number];

/** A passage of a document. Always `document.text.slice(start, end) === text`; `start` and `end` count UTF-16 units. */
export interface Chunk {
  readonly index: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Page or slide where the passage begins, 1-based; null where the format has none. */
  readonly page: number | null;
  /** Where further pages begin within the passage, in order; unset when it ends on the page it begins on. */
  readonly pageStarts?: readonly PageStart[];
  /** Path of the headings above the passage, outermost first: `Guide > Install`. */
  readonly heading: string | null;
}

/** Sizes in estimated tokens, see {@link estimateTokens}. `overlap` counts against `chunkSize` and is below half of it. */
export interface SplittingOptions {
  readonly chunkSize: number;
  readonly overlap: number;
}
