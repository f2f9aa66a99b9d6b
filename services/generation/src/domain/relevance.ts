import { sentencesWithin, type Sentence } from './sentences.js';
import type { Source } from './source.js';
import { termsOf } from './terms.js';

/** A sentence that may go into the answer. */
export interface Candidate {
  readonly source: number;
  readonly sentence: Sentence;
  readonly terms: ReadonlySet<string>;
  /** How well it answers, above 0; comparable within one question only. */
  readonly relevance: number;
}

/** Least share of the question's content (by idf) that one source must speak about before anything is quoted from it. */
const MIN_COVERAGE = 0.25;
const CONTEXT_WEIGHT = 0.4;
const SOURCE_WEIGHT = 0.3;
const QUESTION_WEIGHT = 0.3;
/** Of what only names something: even a little that is said of it elsewhere is a better answer. */
const LABEL_WEIGHT = 0.1;

/**
 * Text that is looked at, in UTF-16 units: in all, and of each source at least, which is about as much as a chunk has that was
 * cut from a document at the largest size.
 */
const MAX_TEXT = 400_000;
const MIN_ROOM = 10_000;

interface Passage {
  readonly source: number;
  readonly sentence: Sentence;
  readonly terms: ReadonlySet<string>;
  /** Terms of the question in the sentence; with its heading and the question it stands behind. */
  readonly own: readonly string[];
  readonly both: readonly string[];
}

/** The terms of the question with their places in it. */
type Asked = ReadonlyMap<string, number>;

/**
 * Sentences that speak about the question, as they stand in the sources. Relevance is the share of the question's terms in the
 * sentence, weighted by idf over all sentences, plus a part for terms in its heading, scaled by the source's own score. Of long
 * sources only the beginning is read. Yields between two sentences.
 */
export function* relevantSentences(question: string, sources: readonly Source[]): Generator<void, Candidate[]> {
  const asked: Asked = new Map([...termsOf(question)].map((term, place) => [term, place]));
  const passages = yield* passagesOf(sources, asked);
  const weights = yield* idfWeights(asked, passages);
  const total = sum(weights.values());
  const coverage = (terms: readonly string[]) => sum(terms.map((term) => weights.get(term)!)) / total;
  const spoken = sources.map(() => new Set<string>());
  for (const { source, both } of passages) {
    yield;
    for (const term of both) spoken[source]!.add(term);
  }
  const isAnswering = spoken.map((terms) => coverage(among(asked, terms)) >= MIN_COVERAGE);
  const trust = trustIn(sources);
  const candidates: Candidate[] = [];
  for (const { source, sentence, terms, own, both } of passages) {
    yield;
    if (!isAnswering[source]) continue;
    const share = coverage(own) + CONTEXT_WEIGHT * (coverage(both) - coverage(own));
    const asks = isQuestion(sentence) ? QUESTION_WEIGHT : 1;
    const names = sentence.isStatement ? 1 : LABEL_WEIGHT;
    const relevance = share * trust[source]! * asks * names;
    if (relevance > 0) candidates.push({ source, sentence, terms, relevance });
  }
  return candidates;
}

function* passagesOf(sources: readonly Source[], asked: Asked): Generator<void, Passage[]> {
  const room = Math.max(MIN_ROOM, Math.floor(MAX_TEXT / sources.length));
  const passages: Passage[] = [];
  for (const [source, { text, heading }] of sources.entries()) {
    const all: Sentence[] = [];
    for (const sentence of sentencesWithin(text, room)) {
      yield;
      if (sentence && sentence.text !== heading) all.push(sentence);
    }
    const isAnyStatement = all.some(({ isStatement }) => isStatement);
    const headingTerms = termsOf(heading ?? '');
    let before: ReadonlySet<string> = new Set();
    for (const sentence of all) {
      if (isAnyStatement && !sentence.isStatement) continue;
      yield;
      const terms = termsOf(sentence.text);
      const both = among(asked, [...terms, ...headingTerms, ...before]);
      passages.push({ source, sentence, terms, own: among(asked, terms), both });
      before = isQuestion(sentence) ? terms : new Set();
    }
  }
  return passages;
}

const isQuestion = ({ text }: Sentence): boolean => /[?？؟]\s*$/.test(text);

/** Which of the question's terms are among these, in the order of the question: the same ones always sum up to the same. */
function among(asked: Asked, terms: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const term of terms) if (asked.has(term)) found.add(term);
  return [...found].sort((a, b) => asked.get(a)! - asked.get(b)!);
}

/** The probabilistic idf of BM25 over sentences, kept positive by adding 1 under the logarithm. */
function* idfWeights(asked: Asked, passages: readonly Passage[]): Generator<void, Map<string, number>> {
  const frequency = new Map<string, number>();
  for (const { own } of passages) {
    yield;
    for (const term of own) frequency.set(term, (frequency.get(term) ?? 0) + 1);
  }
  const idf = (count: number) => Math.log(1 + (passages.length - count + 0.5) / (count + 0.5));
  return new Map([...asked.keys()].map((term) => [term, idf(frequency.get(term) ?? 0)]));
}

/** 1 for the best-scored source down to `1 − SOURCE_WEIGHT` for the worst. */
function trustIn(sources: readonly Source[]): number[] {
  const scores = sources.map(({ score }) => score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  return scores.map((score) => (high > low ? 1 - (SOURCE_WEIGHT * (high - score)) / (high - low) : 1));
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
