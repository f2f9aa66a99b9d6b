import { countTerms, queryTerms } from './term-counts.js';

/** Term numbers with a value each; numbers are unique. */
export interface SparseTerms {
  readonly indices: number[];
  readonly values: number[];
}

/** Whose words: the same word of another owner is another number, so frequencies are counted per owner. */
export type TermOwner = readonly [tenant: string, collection: string];

export const K1 = 1.2;
export const B = 0.75;
/** As the embedded index stores them; BM25 is saturated long before. */
export const MAX_FREQUENCY = 255;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

function fnv1a(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), FNV_PRIME);
    hash = Math.imul(hash ^ (unit >>> 8), FNV_PRIME);
  }
  return hash;
}

/** MurmurHash3's finaliser: FNV alone leaves the high bits of short words alike. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Numbers terms: 32 bits, without sign. Two words of one owner share a number about once in a vocabulary of 100,000. */
export function termNumbers(owner: TermOwner): (term: string) => number {
  const start = fnv1a(JSON.stringify(owner), FNV_OFFSET);
  return (term) => mixed(fnv1a(term, start));
}

/** How often each term of a text occurs, at most 255 times, by number; and the text's length in terms. */
export function numberedTerms(owner: TermOwner, text: string): SparseTerms & { readonly length: number } {
  const { frequencies, length } = countTerms(text);
  return { ...numbered(owner, frequencies, (frequency) => Math.min(frequency, MAX_FREQUENCY)), length };
}

/** How often each telling term occurs in a query, by number. */
export const numberedQuery = (owner: TermOwner, query: string): SparseTerms =>
  numbered(owner, queryTerms(query), (occurrences) => occurrences);

/**
 * A text as a sparse vector: for each term BM25's share without idf, `(k1 + 1) tf / (tf + k1 (1 - b + b length / average))`.
 * A store that multiplies by idf `ln(1 + (N - df + 0.5) / (df + 0.5))` and sums up computes BM25.
 * @param averageLength of a text, in terms: a constant, as the vector must not depend on what else is stored.
 */
export function bm25Vector(owner: TermOwner, text: string, averageLength: number): SparseTerms {
  const { indices, values, length } = numberedTerms(owner, text);
  const norm = K1 * (1 - B + (B * length) / averageLength);
  return { indices, values: values.map((frequency) => Math.fround(((K1 + 1) * frequency) / (frequency + norm))) };
}

function numbered(
  owner: TermOwner,
  counts: ReadonlyMap<string, number>,
  valueOf: (count: number) => number,
): SparseTerms {
  const numberOf = termNumbers(owner);
  const values = new Map<number, number>();
  for (const [term, count] of counts) {
    const number = numberOf(term);
    values.set(number, (values.get(number) ?? 0) + valueOf(count));
  }
  return { indices: [...values.keys()], values: [...values.values()] };
}
