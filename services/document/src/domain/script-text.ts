/** Rare ideographs (U+3400–4DBF) are left out: small floating-point numbers look like them. */
const eastAsian: readonly RegExp[] = [/[\u4e00-\u9fff\u3000-\u30ff\uff01-\uff9f]/g, /\p{Script=Hangul}/gu];

const alphabets: readonly RegExp[] = [
  'Arabic', 'Armenian', 'Bengali', 'Cyrillic', 'Devanagari', 'Ethiopic', 'Georgian', 'Greek', 'Gujarati', 'Gurmukhi',
  'Hebrew', 'Kannada', 'Khmer', 'Lao', 'Malayalam', 'Myanmar', 'Sinhala', 'Tamil', 'Telugu', 'Thai', 'Tibetan',
].map((name) => new RegExp(`\\p{Script=${name}}`, 'gu')); // prettier-ignore

/** Fewer letters prove nothing. East Asia has a good third of all characters, so noise has many of its own. */
const fewestAlphabetic = 4;
const fewestEastAsian = 16;

/** Whether a sample reads as text in one alphabet beyond Latin. */
export function readsAsAlphabet(sample: string): boolean {
  return isPlausible(sample) && lettersOf(sample, alphabets) >= Math.max(fewestAlphabetic, sample.length / 2);
}

/** Whether a sample reads as Chinese, Japanese or Korean, which more kinds of data pass for: a word or two prove nothing. */
export function readsAsEastAsian(sample: string): boolean {
  const isLong = lettersOf(sample, eastAsian) >= Math.max(fewestEastAsian, sample.length / 2);
  return isLong && isPlausible(sample) && separator.test(sample);
}

const separator = /[\s\p{P}]/u;

/** Hardly a character that no text has, and in more than a few words white space or punctuation: measured values have none. */
function isPlausible(sample: string): boolean {
  const hundredth = sample.length / 100;
  if (count(sample, /[^\P{C}\p{Cf}\t\n\f\r]/gu) > hundredth) return false;
  return count(sample, /[\s\p{P}]/gu) >= Math.floor(hundredth);
}

const count = (sample: string, kind: RegExp) => sample.match(kind)?.length ?? 0;

/** Letters of whichever of the scripts has most of them. */
const lettersOf = (sample: string, scripts: readonly RegExp[]) =>
  Math.max(...scripts.map((script) => count(sample, script)));
