import { z } from 'zod';
import { foldedTerm } from './cloze-term.js';
import { LinkGuard } from './link-guard.js';
import { scattered } from './question-order.js';
import type { Question, QuestionMode } from './question.js';
import { quote, type Citation, type Source } from './source.js';

const OPTIONS = { min: 3, max: 6 } as const;
/** A shorter quote stands in nearly every text and proves nothing. */
const MIN_QUOTE = 8;

const written = z.object({
  question: z.string().trim().min(1).max(1_000),
  options: z.array(z.string().trim().min(1).max(500)).max(OPTIONS.max).default([]),
  correct_answer: z.string().trim().min(1).max(1_000),
  explanation: z.string().trim().min(1).max(2_000),
  source: z.number().int().min(1),
  quote: z.string().trim().min(MIN_QUOTE).max(2_000),
});
const reply = z.object({ questions: z.array(z.unknown()).max(200) });

/**
 * The questions in a model's reply that hold: complete, in quiz mode with the correct answer among different options, and
 * with a quote that stands in the sources, whose place is looked up rather than believed. One with an address that no
 * source holds is dropped, HTML tags are taken out. None for a reply that is not the JSON it was asked for.
 */
export function questionsIn(text: string, sources: readonly Source[], mode: QuestionMode): Question[] {
  const parsed = reply.safeParse(jsonIn(text));
  if (!parsed.success) return [];
  const questions = new Map<string, Question>();
  for (const entry of parsed.data.questions) {
    const question = checked(written.safeParse(entry).data, sources, mode);
    if (question) questions.set(foldedTerm(question.question), question);
  }
  return [...questions.values()];
}

/** Models like to put JSON into a code fence. */
function jsonIn(text: string): unknown {
  const [, fenced] = /^```(?:json)?\s*\n([\s\S]*)\n```$/.exec(text.trim()) ?? [];
  try {
    return JSON.parse(fenced ?? text);
  } catch {
    return undefined;
  }
}

function checked(
  entry: z.output<typeof written> | undefined,
  sources: readonly Source[],
  mode: QuestionMode,
): Question | null {
  if (!entry) return null;
  const guard = guardOf(sources);
  const [question, correctAnswer, explanation] = [entry.question, entry.correct_answer, entry.explanation].map(
    guard.read,
  );
  const offered = mode === 'quiz' ? entry.options.map(guard.read) : [];
  if (guard.removed > 0 || !question || !correctAnswer || !explanation) return null;
  const options = scattered(offered, question, (option) => option);
  if (mode === 'quiz' && !isQuiz(options, correctAnswer)) return null;
  const citation = citationOf(entry.quote, entry.source - 1, sources);
  return citation && { question, options, correctAnswer, explanation, citation };
}

/** Reads texts as they can be shown, and counts the addresses it found in them that no source holds. */
function guardOf(sources: readonly Source[]): { readonly removed: number; read(text: string): string } {
  const known = sources.map(({ text }) => text);
  let removed = 0;
  const read = (text: string): string => {
    const links = new LinkGuard(known);
    const shown = links.push(text) + links.end();
    removed += links.removed;
    return shown.trim();
  };
  return {
    read,
    get removed() {
      return removed;
    },
  };
}

function isQuiz(options: readonly string[], answer: string): boolean {
  const different = new Set(options.map(foldedTerm));
  return options.length >= OPTIONS.min && different.size === options.length && options.includes(answer);
}

/** Where the quote stands: in the named source, else in any; line breaks and spaces may differ. */
function citationOf(text: string, named: number, sources: readonly Source[]): Citation | null {
  const words = text.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  const pattern = new RegExp(words.join(String.raw`\s+`), 'u');
  const order = [named, ...sources.keys()].filter((position) => position < sources.length);
  for (const position of order) {
    const match = pattern.exec(sources[position]!.text);
    if (match) return quote(sources, position, { start: match.index, end: match.index + match[0].length });
  }
  return null;
}
