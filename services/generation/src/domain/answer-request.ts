import type { Source } from './source.js';
import type { Turn } from './turn.js';

/** What is asked for; limits are checked where it comes in. */
export interface AnswerRequest {
  readonly question: string;
  readonly sources: readonly Source[];
  /** How long ago they began to be read. */
  readonly sourcesAgeMs: number;
  /** The sources are of this collection. */
  readonly collection: string;
  /** Empty outside of a conversation. */
  readonly conversationId: string;
  /** Messages before the question, oldest first, where the caller keeps them itself. */
  readonly history: readonly Turn[];
  /** How to answer, as the caller wants it; may be empty. */
  readonly instructions: string;
  readonly temperature?: number;
  readonly maxTokens: number;
  /** The same where the caller named one: what is quoted is as long as it is unless somebody asks for less. */
  readonly askedTokens?: number;
  /** The answer ends before the first of these, without it. */
  readonly stop: readonly string[];
  /** Empty for the configured order. */
  readonly model: string;
}
