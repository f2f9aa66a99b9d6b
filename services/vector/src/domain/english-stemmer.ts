/**
 * The English (Porter2) stemmer, after M. F. Porter's description at https://snowballstem.org/algorithms/english/stemmer.html.
 * `R1` and `R2` below are the regions of that description: the parts of a word in which a suffix may be taken away.
 */
const vowels = 'aeiouy';
const doubles = new Set(['bb', 'dd', 'ff', 'gg', 'mm', 'nn', 'pp', 'rr', 'tt']);
const liEndings = 'cdeghkmnrt';

const irregular: ReadonlyMap<string, string> = new Map(
  (
    'skis ski|skies sky|idly idl|gently gentl|ugly ugli|early earli|only onli|singly singl|' +
    'sky sky|news news|howe howe|atlas atlas|cosmos cosmos|bias bias|andes andes'
  )
    .split('|')
    .map((pair) => pair.split(' ') as [string, string]),
);
const keptAfterPlural = new Set([
  'inning',
  'outing',
  'canning',
  'herring',
  'earring',
  'evening',
  'proceed',
  'exceed',
  'succeed',
]);
const fixedFirstRegion = /^(?:gener|commun|arsen|past|univers|later|emerg|organ|inter)/;

/** Suffix → replacement, longest first, applied when the suffix lies in R1. */
const stepTwo: readonly (readonly [string, string])[] = [
  ['ization', 'ize'],
  ['ational', 'ate'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['tional', 'tion'],
  ['biliti', 'ble'],
  ['lessli', 'less'],
  ['entli', 'ent'],
  ['ation', 'ate'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['ousli', 'ous'],
  ['iviti', 'ive'],
  ['fulli', 'ful'],
  ['ogist', 'og'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['abli', 'able'],
  ['izer', 'ize'],
  ['ator', 'ate'],
  ['alli', 'al'],
  ['bli', 'ble'],
  ['ogi', 'og'],
  ['li', ''],
];
const stepThree: readonly (readonly [string, string])[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ative', ''],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
];
const stepFour = [
  'ement',
  'ance',
  'ence',
  'able',
  'ible',
  'ment',
  'ant',
  'ent',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
  'ion',
  'al',
  'er',
  'ic',
];

const isVowel = (word: string, at: number): boolean => at >= 0 && at < word.length && vowels.includes(word[at]!);
const hasVowel = (word: string): boolean => /[aeiouy]/.test(word);

/** Where the region after the first non-vowel that follows a vowel begins, searching from `from`. */
function regionAfter(word: string, from: number): number {
  for (let at = from + 1; at < word.length; at++) if (!isVowel(word, at) && isVowel(word, at - 1)) return at + 1;
  return word.length;
}

function endsInShortSyllable(word: string): boolean {
  const end = word.length - 1;
  if (word.length === 2) return isVowel(word, 0) && !isVowel(word, 1);
  if (word === 'past') return true;
  return !isVowel(word, end - 2) && isVowel(word, end - 1) && !isVowel(word, end) && !'wxY'.includes(word[end]!);
}

/** A `y` that acts as a consonant becomes `Y`, so that it no longer counts as a vowel. */
const markConsonantY = (word: string): string => word.replace(/^y/, 'Y').replace(/([aeiouy])y/g, '$1Y');

function removePlural(word: string): string {
  if (word.endsWith('sses')) return word.slice(0, -2);
  if (/ie[ds]$/.test(word)) return word.slice(0, word.length > 4 ? -2 : -1);
  if (/(?:us|ss)$/.test(word) || !word.endsWith('s')) return word;
  return hasVowel(word.slice(0, -2)) ? word.slice(0, -1) : word;
}

function removeVerbEnding(word: string, r1: number): string {
  const eed = /eed(?:ly)?$/.exec(word);
  if (eed) return eed.index >= r1 ? `${word.slice(0, eed.index)}ee` : word;
  const ending = /(?:ed|ing)(?:ly)?$/.exec(word);
  if (!ending) return word;
  const stem = word.slice(0, ending.index);
  if (!hasVowel(stem)) return /^[^aeiouy]y$/i.test(stem) && ending[0] === 'ing' ? `${stem.slice(0, -1)}ie` : word;
  if (ending[0] === 'ing' && /^[^aeiouy]y$/.test(stem)) return `${stem.slice(0, -1)}ie`;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (doubles.has(stem.slice(-2))) return /^[aeo](?:bb|dd|ff|gg|mm|nn|pp|rr|tt)$/.test(stem) ? stem : stem.slice(0, -1);
  return r1 >= stem.length && endsInShortSyllable(stem) ? `${stem}e` : stem;
}

function replaceDerivation(word: string, r1: number): string {
  const rule = stepTwo.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const [suffix, replacement] = rule;
  const at = word.length - suffix.length;
  if (at < r1) return word;
  if (suffix === 'ogi' && word[at - 1] !== 'l') return word;
  if (suffix === 'li' && !liEndings.includes(word[at - 1]!)) return word;
  return word.slice(0, at) + replacement;
}

function shortenDerivation(word: string, r1: number, r2: number): string {
  const rule = stepThree.find(([suffix]) => word.endsWith(suffix));
  if (!rule) return word;
  const at = word.length - rule[0].length;
  return at < (rule[0] === 'ative' ? r2 : r1) ? word : word.slice(0, at) + rule[1];
}

function removeSuffix(word: string, r2: number): string {
  const suffix = stepFour.find((candidate) => word.endsWith(candidate));
  if (suffix === undefined) return word;
  const at = word.length - suffix.length;
  if (at < r2 || (suffix === 'ion' && !'st'.includes(word[at - 1] ?? '-'))) return word;
  return word.slice(0, at);
}

function removeFinalLetter(word: string, r1: number, r2: number): string {
  const at = word.length - 1;
  if (word.endsWith('e') && (at >= r2 || (at >= r1 && !endsInShortSyllable(word.slice(0, -1)))))
    return word.slice(0, -1);
  return word.endsWith('ll') && at >= r2 ? word.slice(0, -1) : word;
}

/** The stem of a lower-case English word of `a–z`; a word of one or two letters is its own stem. */
export function stemEnglish(word: string): string {
  if (word.length <= 2) return word;
  const known = irregular.get(word);
  if (known !== undefined) return known;
  let stem = markConsonantY(word);
  const prefix = fixedFirstRegion.exec(stem);
  const r1 = prefix ? prefix[0].length : regionAfter(stem, 0);
  const r2 = regionAfter(stem, r1);
  stem = removePlural(stem);
  if (keptAfterPlural.has(stem)) return stem;
  stem = removeVerbEnding(stem, r1);
  stem = stem.replace(/^(.+[^aeiouy])[yY]$/, '$1i');
  stem = replaceDerivation(stem, r1);
  stem = shortenDerivation(stem, r1, r2);
  stem = removeSuffix(stem, r2);
  return removeFinalLetter(stem, r1, r2).toLowerCase();
}
