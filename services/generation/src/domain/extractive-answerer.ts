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
 * says so, without citations.
 */
export function answerExtractively(question: string, sources: readonly Source[]): ExtractiveAnswer {
  const chosen = inReadingOrder(diverse(relevantSentences(question, sources)));
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

/** Greedy maximal marginal relevance (Carbonell and Goldstein 1998): what repeats a chosen sentence loses that much. */
function diverse(candidates: readonly Candidate[]): Candidate[] {
  const chosen: Candidate[] = [];
  const floor = RELATIVE_FLOOR * (candidates[0]?.relevance ?? 0);
  let rest = [...candidates];
  let room = MAX_CHARACTERS;
  while (chosen.length < MAX_SENTENCES && rest.length > 0) {
    const gains = rest.map((candidate) => ({ candidate, repeats: repetition(candidate, chosen) }));
    const open = gains.filter(
      ({ candidate, repeats }) => repeats < DUPLICATE_SIMILARITY && candidate.sentence.text.length <= room,
    );
    const gain = ({ candidate, repeats }: (typeof gains)[number]) => candidate.relevance * (1 - repeats / 2);
    const best = open.reduce<(typeof gains)[number] | null>(
      (top, next) => (top && gain(top) >= gain(next) ? top : next),
      null,
    );
    if (best === null || gain(best) < floor) break;
    chosen.push(best.candidate);
    room -= best.candidate.sentence.text.length + ' [10] '.length;
    rest = open.map(({ candidate }) => candidate).filter((candidate) => candidate !== best.candidate);
  }
  return chosen;
}

/** The overlap coefficient with the most similar chosen sentence, 0..1. */
function repetition({ terms }: Candidate, chosen: readonly Candidate[]): number {
  const overlap = (other: Candidate) =>
    countShared(terms, other.terms) / Math.max(1, Math.min(terms.size, other.terms.size));
  return Math.max(0, ...chosen.map(overlap));
}

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
