import { sentencesOf, type Sentence } from './sentences.js';
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

interface Passage {
  readonly source: number;
  readonly sentence: Sentence;
  readonly terms: ReadonlySet<string>;
  /** What the sentence is about beyond its own words: its heading and the question it stands behind. */
  readonly context: ReadonlySet<string>;
}

/**
 * Sentences that speak about the question. Relevance is the share of the question's terms in the sentence, weighted by
 * idf over all sentences, plus a part for terms in its heading, scaled by the source's own score. Best first.
 */
export function relevantSentences(question: string, sources: readonly Source[]): Candidate[] {
  const passages = sources.flatMap(passagesOf);
  const weights = idfWeights(termsOf(question), passages);
  const total = sum(weights.values());
  const trust = trustIn(sources);
  const coverage = (terms: ReadonlySet<string>) =>
    sum([...weights].map(([term, idf]) => (terms.has(term) ? idf : 0))) / total;
  const isAnswering = sources.map((_, source) => coverage(spokenOf(passages, source)) >= MIN_COVERAGE);
  return passages
    .filter(({ source }) => isAnswering[source])
    .map(({ context, ...passage }) => {
      const own = coverage(passage.terms);
      const both = coverage(new Set([...passage.terms, ...context]));
      const asks = /[?？؟]\s*$/.test(passage.sentence.text) ? QUESTION_WEIGHT : 1;
      const names = passage.sentence.isStatement ? 1 : LABEL_WEIGHT;
      return { ...passage, relevance: (own + CONTEXT_WEIGHT * (both - own)) * trust[passage.source]! * asks * names };
    })
    .filter(({ relevance }) => relevance > 0)
    .sort((a, b) => b.relevance - a.relevance || a.source - b.source || a.sentence.start - b.sentence.start);
}

function passagesOf({ text, heading }: Source, source: number): Passage[] {
  const all = sentencesOf(text).filter((sentence) => sentence.text !== heading);
  const statements = all.filter(({ isStatement }) => isStatement);
  const headingTerms = termsOf(heading ?? '');
  let asked: ReadonlySet<string> = new Set();
  return (statements.length > 0 ? statements : all).map((sentence) => {
    const terms = termsOf(sentence.text);
    const context = new Set([...headingTerms, ...asked]);
    asked = /[?？؟]\s*$/.test(sentence.text) ? terms : new Set();
    return { source, sentence, terms, context };
  });
}

function spokenOf(passages: readonly Passage[], source: number): ReadonlySet<string> {
  const spoken = passages.filter((passage) => passage.source === source);
  return new Set(spoken.flatMap(({ terms, context }) => [...terms, ...context]));
}

/** The probabilistic idf of BM25 over sentences, kept positive by adding 1 under the logarithm. */
function idfWeights(terms: ReadonlySet<string>, passages: readonly Passage[]): Map<string, number> {
  const frequency = (term: string) => passages.filter((passage) => passage.terms.has(term)).length;
  const idf = (count: number) => Math.log(1 + (passages.length - count + 0.5) / (count + 0.5));
  return new Map([...terms].map((term) => [term, idf(frequency(term))]));
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
