import type { Citation } from './source.js';

/** `practice`: to be answered freely. `quiz`: to be chosen from options. */
export type QuestionMode = 'practice' | 'quiz';

/** A question with its answer and the sentence of a source that proves it. */
export interface Question {
  readonly question: string;
  /** In quiz mode: distinct, the correct answer among them. Empty in practice mode. */
  readonly options: readonly string[];
  readonly correctAnswer: string;
  /** Why it is correct: the sentence of the source, on one line. */
  readonly explanation: string;
  readonly citation: Citation;
}

/** What a set of questions is made for. */
export interface QuestionOrder {
  /** Empty for whatever the sources say. */
  readonly topic: string;
  readonly count: number;
  readonly mode: QuestionMode;
}
