import { stemEnglish } from './english-stemmer.js';

/** `index` also emits single Han and Hangul characters, so that a query of one character finds something. */
export type TokenizerMode = 'index' | 'query';

const SEPARATOR = 0;
const WORD = 1;
const UNSPACED = 2;
const SURROGATE = 3;

const wordCharacter = /^[\p{L}\p{M}\p{N}]$/u;
/** Scripts written without spaces between words, and Korean, whose words carry particles: both are cut into bigrams. */
const unspacedScript =
  /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]$/u;
const meaningfulAlone = /^[\p{Script=Han}\p{Script=Hangul}]$/u;
const foldsDiacritics = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}]/u;
const nonAscii = /[^\0-\x7f]/;
const asciiWord = /^[a-z]+$/;
const arabic = /\p{Script=Arabic}/u;
const MAX_TOKEN_LENGTH = 64;
const MAX_CACHED_WORDS = 200_000;

function classify(character: string): number {
  if (!wordCharacter.test(character)) return SEPARATOR;
  return unspacedScript.test(character) ? UNSPACED : WORD;
}

/** One class per UTF-16 code unit: a table read is what lets the scanner keep up with indexing. */
const classOf = Uint8Array.from({ length: 0x10000 }, (_, unit) =>
  unit >= 0xd800 && unit <= 0xdfff ? SURROGATE : classify(String.fromCharCode(unit)),
);

/** Spelling variants, vowel marks and the article or a conjunction in front of it, which Arabic writes as one word. */
function foldArabic(word: string): string {
  const bare = word
    .replace(/[\p{M}\u0640]/gu, '')
    .replace(/[أإآٱ]/g, 'ا')
    .replace(/ى/g, 'ي')
    .replace(/ة/g, 'ه');
  const stem = bare.replace(/^(?:و?ال|بال|كال|فال|لل|و(?=.{3}))(?=.{2})/, '');
  return stem.replace(/(?<=.{2})(?:ها|ان|ات|ون|ين|يه|ه|ي)$/, '');
}

function fold(word: string): string {
  if (asciiWord.test(word)) return stemEnglish(word);
  if (!nonAscii.test(word)) return word;
  if (arabic.test(word)) return foldArabic(word);
  if (!foldsDiacritics.test(word)) return word;
  const folded = word
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/ß/g, 'ss')
    .replace(/æ/g, 'ae')
    .replace(/œ/g, 'oe')
    .replace(/ø/g, 'o');
  return asciiWord.test(folded) ? stemEnglish(folded) : folded;
}

const folded = new Map<string, string>();

/** Folding costs far more than a look-up and words repeat, so results are kept; a full cache starts anew. */
function termFor(word: string): string {
  const known = folded.get(word);
  if (known !== undefined) return known;
  if (folded.size >= MAX_CACHED_WORDS) folded.clear();
  // A slice of a long string keeps the whole string alive; the bytes are copied so that the cache holds words only.
  const owned = Buffer.from(word, 'utf16le').toString('utf16le');
  const term = fold(owned);
  folded.set(owned, term);
  return term;
}

function pushUnspacedRun(run: string, mode: TokenizerMode, tokens: string[]): void {
  const characters = nonSurrogate.test(run) ? run.split('') : [...run];
  if (characters.length === 1) {
    tokens.push(characters[0]!);
    return;
  }
  for (let at = 0; at < characters.length; at++) {
    if (mode === 'index' && meaningfulAlone.test(characters[at]!)) tokens.push(characters[at]!);
    if (at > 0) tokens.push(characters[at - 1]! + characters[at]!);
  }
}
const nonSurrogate = /^[^\ud800-\udfff]*$/;

function classAt(text: string, at: number): number {
  const unitClass = classOf[text.charCodeAt(at)]!;
  if (unitClass !== SURROGATE) return unitClass;
  const codePoint = text.codePointAt(at)!;
  return codePoint > 0xffff ? classify(String.fromCodePoint(codePoint)) : SEPARATOR;
}

/**
 * The terms of a text in order of appearance, ready for an index: NFKC, lower case, diacritics folded where they do not
 * distinguish words (Latin, Greek, Cyrillic, Hebrew), English stems for words of `a–z`, light stems for Arabic, character
 * bigrams for Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese. Stop words are kept. Deterministic.
 */
export function tokenize(text: string, mode: TokenizerMode): string[] {
  const normal = (nonAscii.test(text) ? text.normalize('NFKC') : text).toLowerCase();
  const tokens: string[] = [];
  let start = 0;
  let runClass = SEPARATOR;
  for (let at = 0; at <= normal.length;) {
    const surrogate = at < normal.length && classOf[normal.charCodeAt(at)] === SURROGATE;
    const unitClass =
      at === normal.length ? SEPARATOR : surrogate ? classAt(normal, at) : classOf[normal.charCodeAt(at)]!;
    if (unitClass !== runClass) {
      if (runClass === WORD) pushWord(normal, start, at, tokens);
      else if (runClass === UNSPACED) pushUnspacedRun(normal.slice(start, at), mode, tokens);
      runClass = unitClass;
      start = at;
    }
    at += surrogate && normal.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  return tokens;
}

function pushWord(text: string, start: number, end: number, tokens: string[]): void {
  const term = termFor(text.slice(start, Math.min(end, start + MAX_TOKEN_LENGTH)));
  if (term !== '') tokens.push(term);
}
