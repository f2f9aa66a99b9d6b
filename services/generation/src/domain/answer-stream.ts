import type { AnswerPart } from './extractive-answerer.js';
import type { Citation } from './source.js';

/** What a reader of a stream gets, in order. The deltas joined are the answer. */
export type AnswerEvent =
  { readonly type: 'delta'; readonly text: string } | { readonly type: 'citation'; readonly citation: Citation };

/** The answer without its citations. */
export const textOf = (events: readonly AnswerEvent[]): string =>
  events.map((event) => (event.type === 'delta' ? event.text : '')).join('');

/** Each sentence with its marker, then the quote behind it. */
export function* answerEvents(parts: readonly AnswerPart[]): Generator<AnswerEvent> {
  for (const [position, { text, citation }] of parts.entries()) {
    yield { type: 'delta', text: position === 0 ? text : ` ${text}` };
    if (citation) yield { type: 'citation', citation };
  }
}
