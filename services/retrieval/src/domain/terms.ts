/** How often each word occurs in a text, and the length of that vector. */
export interface Terms {
  readonly counts: ReadonlyMap<string, number>;
  readonly norm: number;
}

/** How much of a text is read, in UTF-16 units, and how many of its words: a chunk of an ordinary length is read whole. */
export const READ_CHARACTERS = 8_000;
const READ_WORDS = 1_000;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
/** Scripts written without spaces: their words are taken as pairs of characters. */
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

/** The words of a text's beginning without regard to case and form of writing. */
export function termsOf(text: string): Terms {
  const counts = new Map<string, number>();
  let room = READ_WORDS;
  for (const [word] of text.slice(0, READ_CHARACTERS).normalize('NFKC').toLowerCase().matchAll(WORD)) {
    const terms = UNSPACED.test(word) ? pairs([...word]) : [word];
    for (const term of terms.slice(0, room)) counts.set(term, (counts.get(term) ?? 0) + 1);
    room -= terms.length;
    if (room <= 0) break;
  }
  let squares = 0;
  for (const count of counts.values()) squares += count * count;
  return { counts, norm: Math.sqrt(squares) };
}

/** Cosine of two texts' words, 0..1; 0 where one of them has none. */
export function similarity(a: Terms, b: Terms): number {
  if (a.norm === 0 || b.norm === 0) return 0;
  const [few, many] = a.counts.size <= b.counts.size ? [a, b] : [b, a];
  let product = 0;
  for (const [term, count] of few.counts) product += count * (many.counts.get(term) ?? 0);
  return product / (a.norm * b.norm);
}

const pairs = (characters: readonly string[]): string[] =>
  characters.length === 1 ? [...characters] : characters.slice(1).map((character, at) => characters[at]! + character);
