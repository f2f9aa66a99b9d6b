import type { z } from 'zod';
import type { questionsAnswer } from '../api/questions.schema.js';

type Question = z.input<typeof questionsAnswer>['questions'][number];

const NOTHING = 'The documents hold nothing to ask about.';
const FIRST_LETTER = 'A'.charCodeAt(0);
const MAX_LETTERS = 26;

const letter = (index: number): string => String.fromCharCode(FIRST_LETTER + (index % MAX_LETTERS));

/** A set of questions as numbered text: options by letter where there are any, then answer, explanation and source. */
export const questionsText = (questions: readonly Question[]): string =>
  questions.length === 0 ? NOTHING : questions.map((question, index) => questionText(question, index + 1)).join('\n\n');

function questionText(
  { question, options, correct_answer: answer, explanation, citation }: Question,
  number: number,
): string {
  const correct = options.indexOf(answer);
  return [
    `${number}. ${question}`,
    ...options.map((option, index) => `   ${letter(index)}) ${option}`),
    `   Answer: ${correct === -1 ? answer : `${letter(correct)}) ${answer}`}`,
    ...(explanation === '' ? [] : [`   Explanation: ${explanation}`]),
    `   Source: ${citation.document_id}${citation.page === null ? '' : `, page ${citation.page}`}`,
  ].join('\n');
}
