import { foldedTerm, isUnspaced, resembles, wordsOf } from './cloze-term.js';

/** What stands where the answer was. */
export const BLANK = '_____';

const LETTER = /[\p{L}\p{M}\p{N}]/u;

/**
 * The sentence with a blank wherever `answer` stood (a cloze deletion, Taylor 1953); null when what is left would give the
 * answer away: by holding it inside another word, or another form of it.
 */
export function clozeOf(sentence: string, answer: string): string | null {
  const question = blanked(sentence, answer);
  const key = foldedTerm(answer);
  if (question === sentence || foldedTerm(question).includes(key)) return null;
  const parts = key.split(' ');
  const isGivenAway = wordsOf(question).some((word) => parts.some((part) => resembles(foldedTerm(word.text), part)));
  return isGivenAway ? null : question;
}

/** Every place where the answer stands as a word of its own, in any case, becomes a blank. */
function blanked(sentence: string, answer: string): string {
  const [lower, wanted] = [sentence.toLowerCase(), answer.toLowerCase()];
  const isAligned = lower.length === sentence.length; // a few letters grow when they are lowered
  const [text, part] = isAligned ? [lower, wanted] : [sentence, answer];
  let question = '';
  let rest = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) {
    if (!isUnspaced(answer) && !standsAlone(text, at, at + part.length)) continue;
    question += sentence.slice(rest, at) + BLANK;
    rest = at + part.length;
  }
  return question + sentence.slice(rest);
}

const standsAlone = (text: string, start: number, end: number): boolean =>
  !LETTER.test(text.charAt(start - 1)) && !LETTER.test(text.charAt(end));
