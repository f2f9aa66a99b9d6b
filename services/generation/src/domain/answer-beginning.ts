import type { AnswerPart } from './extractive-answerer.js';
import { estimateTokens } from './token-estimate.js';

const words = new Intl.Segmenter(undefined, { granularity: 'word' });

/**
 * What of a quoted answer fits into so many tokens: whole sentences, or else the first words of its first one, which cites
 * nothing then. The same parts when all of them fit.
 */
export function beginningOf(parts: readonly AnswerPart[], maxTokens: number): readonly AnswerPart[] {
  let text = '';
  for (const [position, part] of parts.entries()) {
    text += position === 0 ? part.text : ` ${part.text}`;
    if (estimateTokens(text) <= maxTokens) continue;
    return position > 0 ? parts.slice(0, position) : [{ text: firstWords(part.text, maxTokens), citation: null }];
  }
  return parts;
}

/** At least one. */
function firstWords(text: string, maxTokens: number): string {
  const ends = [...words.segment(text)].map(({ segment, index }) => index + segment.length);
  const end = ends.findLast((at) => estimateTokens(text.slice(0, at)) <= maxTokens) ?? ends[0];
  return text.slice(0, end).trimEnd();
}
