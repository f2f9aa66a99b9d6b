import { isStopWord } from './stop-words.js';

/** Terms of one kind can stand for each other in a sentence, so that one may distract from another. */
export type TermKind = 'name' | 'word' | 'year' | 'number' | 'code';

/** A part of a sentence that can be asked for; `text` stands in the sentence as it is. */
export interface ClozeTerm {
  readonly text: string;
  /** The same for all spellings of a term. */
  readonly key: string;
  readonly kind: TermKind;
}

interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const words = new Intl.Segmenter('en', { granularity: 'word' });
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
/** Words that connect and qualify, beyond the stop words of questions: nobody learns from being asked for them. */
const CONNECTING = new Set(
  `about above across after again against all along also although always among another any because become been before
  behind being below between beyond both called cannot during each either else even ever every except few first former
  further given having here however including instead into just last later least less like made make many more most much
  must near neither never next none often once only other others otherwise over own part per rather same second several
  since some still such take taken than therefore those through throughout thus together too toward towards under until
  upon used using usually various very well were whether while whole within without yet dass dann doch durch etwa immer
  jede jeder jedes mehr nicht ohne schon sehr seit sowie unter wurden zwischen ainsi alors aussi autre autres avant avec
  chaque comme depuis encore entre leurs meme moins plusieurs sans selon tous toute toutes tout tres ademas antes aunque
  cada cuando desde despues durante entre hacia hasta mismo mucho nunca otra otras otro otros segun sino sobre tambien
  tanto todo todos более были было быть если есть лишь между перед после почти также того только чтобы`.split(/\s+/),
);
const MIN_LETTERS = { name: 3, word: 4, unspaced: 2 } as const;
const MAX_NAME_WORDS = 3;

/** Case, compatibility forms and accents are folded away. */
export const foldedTerm = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f\u064b-\u065f\u0640]/g, '')
    .normalize('NFC')
    .toLowerCase();

/** True for scripts without spaces between words. */
export const isUnspaced = (text: string): boolean => UNSPACED.test(text);

/** Letters from which on two words are taken for forms of one: forest and forests, retention and retentive. */
export function resembles(a: string, b: string): boolean {
  if (a === b) return true;
  const wanted = Math.max(4, Math.ceil(0.7 * Math.min(a.length, b.length)));
  return a.length >= wanted && b.length >= wanted && a.slice(0, wanted) === b.slice(0, wanted);
}

/** The words of a sentence, in order, in every language. */
export function wordsOf(sentence: string): Word[] {
  return [...words.segment(sentence)]
    .filter(({ isWordLike }) => isWordLike === true)
    .map(({ segment, index }) => ({ text: segment, start: index, end: index + segment.length }));
}

/**
 * Terms of a sentence worth asking for: names (capitalised words that follow each other are one), numbers, and words that
 * say something. The first word is none, as its capital letter says nothing.
 */
export function clozeTermsOf(sentence: string): ClozeTerm[] {
  const terms: ClozeTerm[] = [];
  const all = wordsOf(sentence);
  for (let at = 0; at < all.length; at += 1) {
    const kind = kindOf(all[at]!.text, at === 0);
    if (kind === null) continue;
    const last = kind === 'name' ? endOfName(sentence, all, at) : at;
    const text = sentence.slice(all[at]!.start, all[last]!.end);
    terms.push({ text, key: foldedTerm(text), kind });
    at = last;
  }
  return terms;
}

function kindOf(word: string, isFirst: boolean): TermKind | null {
  if (/^\p{Nd}+([.,]\p{Nd}+)*$/u.test(word)) return /^(1\d|20)\d\d$/.test(word) ? 'year' : 'number';
  if (isUnspaced(word)) return word.length < MIN_LETTERS.unspaced || /^\p{sc=Hiragana}+$/u.test(word) ? null : 'word';
  if (isFirst || /[_'’]/.test(word) || saysNothing(foldedTerm(word))) return null;
  if (/\p{N}/u.test(word)) return 'code';
  const kind = /^\p{Lu}/u.test(word) ? 'name' : 'word';
  return word.length < MIN_LETTERS[kind] ? null : kind;
}

const saysNothing = (folded: string): boolean => isStopWord(folded) || CONNECTING.has(folded);

/** Position of the last word of the name that begins at `first`. */
function endOfName(sentence: string, all: readonly Word[], first: number): number {
  let last = first;
  while (last + 1 < all.length && last - first + 1 < MAX_NAME_WORDS) {
    const [before, next] = [all[last]!, all[last + 1]!];
    if (sentence.slice(before.end, next.start) !== ' ' || kindOf(next.text, false) !== 'name') break;
    last += 1;
  }
  return last;
}
