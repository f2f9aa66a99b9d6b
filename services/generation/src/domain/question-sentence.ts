import { clozeTermsOf, foldedTerm, isUnspaced, wordsOf, type ClozeTerm } from './cloze-term.js';
import { withoutMarks } from './plain-text.js';
import { definitionIn, type Definition } from './question-definition.js';
import { sentencesWithin } from './sentences.js';
import { quote, type Citation, type Source } from './source.js';
import { countShared, termsOf } from './terms.js';

/** A sentence questions can be made of. */
export interface QuestionSentence {
  /** On one line and without Markdown marks. */
  readonly text: string;
  readonly citation: Citation;
  /** What can be asked for, what matters most in these sources first. */
  readonly terms: readonly ClozeTerm[];
  /** What it says something is, if it does. */
  readonly definition: Definition | null;
  /** How good it is to be asked about, above 0; comparable within one set of sources only. */
  readonly worth: number;
}

const MIN_WORDS = 5;
const LENGTH = { min: 30, minUnspaced: 12, max: 320 } as const;
const CLOSED = /[.!。！۔।]["'”’»)\]）」』]*$/u;
/** Opens with a word that points to the sentence before: alone it says less. */
const POINTING =
  /^(?:it|this|that|these|those|they|he|she|we|you|such|its|their|his|her|however|therefore|thus|er|sie|es|dies|diese[rsmn]?|jedoch|daher|il|elle|ils|elles|ce|cela|ces|cette|esto|esta|este|ello|он|она|оно|они|это|этот|эта)(?![\p{L}\p{M}])/iu;
/** A chunk may begin in the middle of a sentence. */
const CUT_OFF = /^(?:\p{Ll}|[^\p{L}\p{N}"“„«(¿¡])/u;
/** Names and figures make better questions than other words. */
const KIND_WEIGHT = { name: 1.4, year: 1.3, number: 1.2, code: 1.2, word: 1 } as const;
const MAX_TERMS = 6;
/** Text that is looked at, in UTF-16 units: in all, and of each source at least. */
const MAX_TEXT = 400_000;
const MIN_ROOM = 2_000;

/** `clarity`: how well it is understood alone, and how much it speaks about the topic. */
interface Draft extends Omit<QuestionSentence, 'worth'> {
  readonly clarity: number;
}

/** Statements of the sources that can be asked about, each once, best first. Yields between two sentences. */
export function* questionSentences(sources: readonly Source[], topic: string): Generator<void, QuestionSentence[]> {
  const drafts = yield* draftsOf(sources, topic);
  const weights = yield* termWeights(drafts);
  const weightOf = ({ key }: ClozeTerm): number => weights.get(key)!;
  const sentences: QuestionSentence[] = [];
  for (const { clarity, ...draft } of drafts) {
    yield;
    const terms = draft.terms.toSorted((a, b) => weightOf(b) - weightOf(a)).slice(0, MAX_TERMS);
    const best = terms.slice(0, 3).map(weightOf);
    const substance = best.reduce((sum, weight) => sum + weight, 0) / Math.max(1, best.length);
    sentences.push({ ...draft, terms, worth: substance * clarity });
  }
  return sentences.sort(
    (a, b) => b.worth - a.worth || a.citation.source - b.citation.source || a.citation.start - b.citation.start,
  );
}

/** Chunks overlap, and documents repeat themselves: a sentence counts once. */
function* draftsOf(sources: readonly Source[], topic: string): Generator<void, Draft[]> {
  const drafts = new Map<string, Draft>();
  const wanted = termsOf(topic);
  const room = Math.max(MIN_ROOM, Math.floor(MAX_TEXT / Math.max(1, sources.length)));
  for (const [position, source] of sources.entries()) {
    for (const sentence of sentencesWithin(source.text, room)) {
      yield;
      if (!sentence?.isStatement) continue;
      const text = onOneLine(sentence.text);
      const key = foldedTerm(text);
      if (drafts.has(key) || !canBeAsked(text)) continue;
      const terms = distinct(clozeTermsOf(text).filter((term) => standsIn(sentence.text, term.text)));
      const definition = definitionIn(text);
      const citation = quote(sources, position, sentence);
      if (terms.length > 0) drafts.set(key, { text, citation, terms, definition, clarity: clarityOf(text, wanted) });
    }
  }
  return [...drafts.values()];
}

function clarityOf(text: string, wanted: ReadonlySet<string>): number {
  const onTopic = wanted.size === 0 ? 0 : countShared(wanted, termsOf(text)) / wanted.size;
  const alone = CUT_OFF.test(text) ? 0.4 : POINTING.test(text) ? 0.5 : 1;
  return (1 + onTopic) * alone * (CLOSED.test(text) ? 1 : 0.7);
}

/** Whether a quote holds the text, when line breaks count as spaces. */
export const standsIn = (quoted: string, text: string): boolean => quoted.replace(/\s+/g, ' ').includes(text);

function canBeAsked(text: string): boolean {
  const min = isUnspaced(text) ? LENGTH.minUnspaced : LENGTH.min;
  if (text.length < min || text.length > LENGTH.max) return false;
  if (/[?？؟]|[|\t]|https?:\/\/|_{2}/.test(text)) return false;
  return wordsOf(text).length >= MIN_WORDS;
}

const onOneLine = (sentence: string): string => withoutMarks(sentence).replaceAll('`', '').replace(/\s+/g, ' ').trim();

const distinct = (terms: readonly ClozeTerm[]): ClozeTerm[] =>
  [...new Map(terms.toReversed().map((term) => [term.key, term])).values()].toReversed();

/** tf-idf within the sources: what is spoken of again and again, though not everywhere, is what they are about. */
function* termWeights(drafts: readonly Draft[]): Generator<void, Map<string, number>> {
  const frequency = new Map<string, number>();
  for (const { terms } of drafts) {
    yield;
    for (const { key } of terms) frequency.set(key, (frequency.get(key) ?? 0) + 1);
  }
  const weight = ({ key, kind, text }: ClozeTerm): number => {
    const count = frequency.get(key)!;
    const length = kind === 'word' && !isUnspaced(text) ? 0.5 + Math.min(1, text.length / 9) / 2 : 1;
    const lone = /^\d$/.test(text) ? 0.5 : 1;
    return (1 + Math.log(count)) * Math.log(1 + drafts.length / count) * KIND_WEIGHT[kind] * length * lone;
  };
  const weights = new Map<string, number>();
  for (const { terms } of drafts) {
    yield;
    for (const term of terms) weights.set(term.key, weight(term));
  }
  return weights;
}
