import { englishStopWords } from './stop-words.js';
import { tokenize } from './tokenizer.js';

/** A text as BM25 sees it: how often each term occurs, and how many terms there are. */
export interface TermCounts {
  readonly frequencies: Map<string, number>;
  readonly length: number;
}

export function countTerms(text: string): TermCounts {
  const terms = tokenize(text, 'index');
  return { frequencies: countOf(terms), length: terms.length };
}

/** Stop words cost the most and tell the least: they count only in a query that has nothing else. */
export function queryTerms(query: string): Map<string, number> {
  const terms = tokenize(query, 'query');
  const telling = terms.filter((term) => !englishStopWords.has(term));
  return countOf(telling.length > 0 ? telling : terms);
}

function countOf(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}
