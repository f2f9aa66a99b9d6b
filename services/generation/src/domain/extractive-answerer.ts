import { noAnswerTo } from './no-answer.js';
import { withoutMarks } from './plain-text.js';
import { relevantSentences, type Candidate } from './relevance.js';
import { quote, type Citation, type Source } from './source.js';
import { countShared } from './terms.js';

/** One quoted sentence as the reader sees it, with its marker, and the quote behind it. */
export interface AnswerPart {
  readonly text: string;
  readonly citation: Citation | null;
}

/** An answer made of quotes only; `text` is its parts joined by a space, every citation has its marker in it. */
export interface ExtractiveAnswer {
  readonly text: string;
  readonly parts: readonly AnswerPart[];
  readonly citations: readonly Citation[];
}

const MAX_SENTENCES = 5;
const MAX_CHARACTERS = 1_200;
/** A further sentence must be at least this relevant, compared with the best. */
const RELATIVE_FLOOR = 0.45;
const DUPLICATE_SIMILARITY = 0.8;

/**
 * Answers from the best sentences of the sources: relevant ones that do not repeat each other, at most five and about
 * 1,200 characters, those of one source in reading order. Deterministic; where no source speaks about the question it
 * says so, without citations. Yields between two sentences, so that who runs it can let other work go first.
 */
export function* answerExtractively(question: string, sources: readonly Source[]): Generator<void, ExtractiveAnswer> {
  const chosen = inReadingOrder(yield* diverse(yield* relevantSentences(question, sources)));
  const parts = chosen.map(({ source, sentence }): AnswerPart => {
    const citation = quote(sources, source, sentence);
    return { text: `${asPlainText(sentence.text)} [${citation.index}]`, citation };
  });
  if (parts.length === 0) parts.push({ text: noAnswerTo(question), citation: null });
  return {
    text: parts.map(({ text }) => text).join(' '),
    parts,
    citations: parts.flatMap(({ citation }) => citation ?? []),
  };
}

/** A sentence that may still be chosen. `repeats`: how much it says again of what was chosen, 0..1. */
interface Open {
  readonly candidate: Candidate;
  repeats: number;
}

/** Greedy maximal marginal relevance (Carbonell and Goldstein 1998): what repeats a chosen sentence loses that much. */
function* diverse(candidates: readonly Candidate[]): Generator<void, Candidate[]> {
  const floor = RELATIVE_FLOOR * candidates.reduce((most, { relevance }) => Math.max(most, relevance), 0);
  let rest = candidates
    .filter(({ relevance }) => relevance >= floor)
    .map((candidate): Open => ({ candidate, repeats: 0 }));
  const chosen: Candidate[] = [];
  let room = MAX_CHARACTERS;
  while (chosen.length < MAX_SENTENCES) {
    const open: Open[] = [];
    let best: Open | undefined;
    for (const one of rest) {
      yield;
      const { terms, sentence } = one.candidate;
      if (chosen.length > 0) one.repeats = Math.max(one.repeats, overlap(terms, chosen.at(-1)!.terms));
      if (one.repeats >= DUPLICATE_SIMILARITY || sentence.text.length > room) continue;
      open.push(one);
      if (!best || isBetter(one, best)) best = one;
    }
    if (!best || gain(best) < floor) break;
    chosen.push(best.candidate);
    room -= best.candidate.sentence.text.length + ' [10] '.length;
    rest = open.filter((one) => one !== best);
  }
  return chosen;
}

const gain = ({ candidate, repeats }: Open): number => candidate.relevance * (1 - repeats / 2);

/** Of equal gains the more relevant; of such the one that is read first. */
function isBetter(one: Open, best: Open): boolean {
  const more = gain(one) - gain(best) || one.candidate.relevance - best.candidate.relevance;
  return more > 0;
}

/** The overlap coefficient of two sentences, 0..1. */
const overlap = (terms: ReadonlySet<string>, others: ReadonlySet<string>): number =>
  countShared(terms, others) / Math.max(1, Math.min(terms.size, others.size));

function inReadingOrder(chosen: readonly Candidate[]): Candidate[] {
  const order = [...new Set(chosen.map(({ source }) => source))];
  return chosen.toSorted(
    (a, b) => order.indexOf(a.source) - order.indexOf(b.source) || a.sentence.start - b.sentence.start,
  );
}

/** Without line breaks, Markdown marks, and numbers in brackets that would read as markers of this answer: a 0 never does. */
function asPlainText(sentence: string): string {
  return withoutMarks(sentence)
    .replace(/\s*[[【]\s*\^?\d[\d\s,;–-]*[\]】]/g, (bracket) => (/(?<!\d)0+(?!\d)/.test(bracket) ? bracket : ''))
    .replace(/\s+/g, ' ')
    .trim();
}
