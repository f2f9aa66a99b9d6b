import { estimateTokens } from './token-estimate.js';

/** A stretch of the text with its estimated tokens. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly tokens: number;
}

export function spanOf(text: string, start: number, end: number): Span {
  return { start, end, tokens: estimateTokens(text, start, end) };
}

/** The span without white space at its ends; null when nothing is left. */
export function trimmed(text: string, start: number, end: number): { start: number; end: number } | null {
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return start < end ? { start, end } : null;
}

function isSpace(unit: number): boolean {
  return unit <= 32 || unit === 0xa0 || unit === 0x3000 || unit === 0x1680 || (unit >= 0x2000 && unit <= 0x200a);
}
