import type { ContentLimits } from './converters/converter.js';

/** Bounds for one document. Whatever is exceeded is named in the error. */
export interface ParserLimits extends ContentLimits {
  /** Wall time from the first byte to the last chunk; then the child is killed: `DOCUMENT.PARSE_TIMEOUT`. */
  readonly timeoutMs: number;
  /** Resident memory of the child. */
  readonly memoryBytes: number;
  /** Documents parsed at the same time, each in its own child. */
  readonly concurrency: number;
}

export const defaultParserLimits: ParserLimits = {
  timeoutMs: 60_000,
  memoryBytes: 512 * 1024 * 1024,
  maxPages: 5000,
  maxInflatedBytes: 256 * 1024 * 1024,
  maxCharacters: 20_000_000,
  maxZipEntries: 10_000,
  concurrency: 2,
};
