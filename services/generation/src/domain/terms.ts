import { isStopWord } from './stop-words.js';

const TOKEN = /[\p{L}\p{M}\p{N}]+/gu;
const UNSPACED_RUN =
  /\p{sc=Han}+|[\p{sc=Katakana}ー]+|\p{sc=Hangul}+|\p{sc=Thai}+|\p{sc=Lao}+|\p{sc=Khmer}+|\p{sc=Myanmar}+|\p{sc=Hiragana}+/gu;
/** Han characters that only connect or ask: a pair across one of them joins two words and means nothing. */
const HAN_FUNCTION = /[的了是在和与或吗呢吧么什哪谁怎几就都也]/u;
/** Longer words also match by their first letters: retention ~ retained (n-truncation, McNamee and Mayfield 2004). */
const STEM_LETTERS = 5;

/**
 * The content terms of a text: folded words without function words, plus a stem by truncation; character pairs for
 * Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese, which have no spaces between words or glue particles to them.
 */
export function termsOf(text: string): Set<string> {
  const terms = new Set<string>();
  for (const [token] of fold(text).matchAll(TOKEN)) {
    const rest = token.replace(UNSPACED_RUN, (run) => {
      for (const pair of pairs(run)) terms.add(pair);
      return ' ';
    });
    for (const word of rest.split(' ')) if (word !== '' && !isStopWord(word)) addWord(terms, word);
  }
  return terms;
}

/** How many terms two texts have in common. */
export function countShared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let shared = 0;
  for (const term of a) if (b.has(term)) shared += 1;
  return shared;
}

/** Compatibility forms, case and accents are folded away; combining marks of scripts that need them stay. */
function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f\u064b-\u065f\u0640]/g, '')
    .normalize('NFC')
    .toLowerCase();
}

function addWord(terms: Set<string>, word: string): void {
  const singular = /^[a-z]{3,}[^s]s$/.test(word) ? word.slice(0, -1) : word;
  terms.add(singular);
  if (singular.length > STEM_LETTERS && !/\d/.test(singular)) terms.add(`${singular.slice(0, STEM_LETTERS)}*`);
}

function pairs(run: string): string[] {
  if (/^\p{sc=Hiragana}/u.test(run)) return [];
  return run.split(HAN_FUNCTION).flatMap((part) => {
    const characters = [...part];
    if (characters.length < 2) return characters;
    return characters.slice(1).map((character, before) => characters[before]! + character);
  });
}
