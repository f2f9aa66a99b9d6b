import type { Source } from './source.js';

/** What is asked for; limits are checked where it comes in. */
export interface AnswerRequest {
  readonly question: string;
  readonly sources: readonly Source[];
  /** Empty outside of a conversation. */
  readonly conversationId: string;
  readonly temperature?: number;
  readonly maxTokens: number;
  /** Empty for the configured order. */
  readonly model: string;
}
