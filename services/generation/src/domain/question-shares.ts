import { withinLimit } from './prompt-builder.js';
import type { Source } from './source.js';

/** What one call of a model writes from. */
export interface QuestionShare {
  readonly sources: readonly Source[];
  /** Position of its first source among all. */
  readonly offset: number;
  readonly count: number;
}

/** Tokens one question takes with all its parts, generously. */
const TOKENS_PER_QUESTION = 150;
const MAX_PER_CALL = 20;
const MAX_CALLS = 6;

/**
 * Cuts an order into calls that end within `maxTokens` each, every one with sources of its own, so that no two ask the same.
 * An order too large for six calls is filled as far as they go.
 */
export function questionShares(sources: readonly Source[], count: number, maxTokens: number): QuestionShare[] {
  const perCall = Math.min(MAX_PER_CALL, Math.max(1, Math.floor(maxTokens / TOKENS_PER_QUESTION)));
  const calls = Math.min(Math.ceil(count / perCall), MAX_CALLS, sources.length);
  const size = Math.ceil(sources.length / calls);
  return Array.from({ length: calls }, (_, call): QuestionShare => {
    const offset = call * size;
    const part = withinLimit(sources.slice(offset, offset + size));
    return { sources: part, offset, count: Math.min(perCall, Math.ceil(count / calls)) };
  }).filter((share) => share.sources.length > 0);
}
