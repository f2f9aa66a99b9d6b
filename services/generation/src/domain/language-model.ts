/** One turn as chat models take it. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What a model is asked. */
export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  /** 0..2; the provider's own default when absent. */
  readonly temperature?: number;
  /** Longest answer. */
  readonly maxTokens: number;
  /** The answer ends before the first of these. Drivers may leave that to whoever reads them. */
  readonly stop?: readonly string[];
}

export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/**
 * Why a model ended its answer: it had said everything, it had no tokens left, or it was kept from going on, by a content
 * filter say. Only the first leaves a whole answer.
 */
export type EndReason = 'stop' | 'length' | 'withheld';

/** What of a request a model may not take; it answers without it. */
export type Ignorable = 'temperature';

/**
 * A piece of an answer, or its regular end; a stream that stops without an end was cut. `usage` when the model tells, `ignored`
 * when it did not take all that was asked.
 */
export type ChatPiece =
  | { readonly type: 'text'; readonly text: string }
  | {
      readonly type: 'end';
      readonly reason: EndReason;
      readonly usage?: TokenUsage;
      readonly ignored?: readonly Ignorable[];
    };

/** How long each part of a call may take, in ms. */
export interface ChatTimeLimits {
  /** Until the first piece, connecting included. */
  readonly firstTokenMs: number;
  /** Between two pieces. */
  readonly idleMs: number;
  readonly totalMs: number;
}

/** A model that writes text: the port behind which every driver stands. */
export interface LanguageModel {
  readonly provider: string;
  readonly name: string;
  /**
   * Streams an answer, pulled by its reader: who does not read holds the model back. Ends the work when `signal` aborts or
   * the reader stops.
   * @throws RagmeshError GENERATION.UNAVAILABLE (`details.outcome` says why, `details.retryAfter` when the provider asked to
   * wait), REQUEST.CANCELLED once `signal` aborts; each with the tokens it took where the request was accepted and no piece came.
   */
  chat(request: ChatRequest, limits: ChatTimeLimits, signal: AbortSignal): AsyncIterable<ChatPiece>;
}
