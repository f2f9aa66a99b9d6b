import { SpanKind, counter, histogram, markFailed, startSpan, type Logger, type Span } from '@ragmesh/observability';
import {
  circuitBreaker,
  retryWithJitter,
  streamThrough,
  type CircuitBreaker,
  type Deadline,
} from '@ragmesh/resilience';
import type { ChatPiece, ChatRequest, ChatTimeLimits, LanguageModel } from '../domain/language-model.js';
import { StopSequences } from '../domain/stop-sequences.js';
import { estimateUsage } from '../domain/token-estimate.js';
import type { GenerationConfig } from '../generation.config.js';
import { chatFailure, isWorthAnotherTry, outcomeOf } from './chat-failure.js';

/** Kept back from a model's time, so that what stands in for it still reaches the caller. */
const RESERVE_MS = 300;
/** While another model is left, none is waited for longer than this between two tries. */
const SHORT_PAUSE_MS = 500;
/** Failures that lie in what was asked, or in who asked: they say nothing about the model's health, so no other caller pays for them. */
const ASKERS: ReadonlySet<string> = new Set(['refused', 'cancelled', 'withheld', 'length']);

/** What is asked, of whom, and how long the answer is of use. */
export interface ChatCall extends ChatRequest {
  /** Name of the model to try first; the configured order when empty. */
  readonly model?: string;
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** An answer that has begun: its first text, what follows, and its span, which whoever reads it ends. */
export interface BegunAnswer {
  readonly pieces: AsyncGenerator<ChatPiece>;
  readonly first: string;
  readonly span: Span;
}

type TimeLimits = Pick<GenerationConfig, 'LLM_FIRST_TOKEN_TIMEOUT' | 'LLM_IDLE_TIMEOUT' | 'LLM_TOTAL_TIMEOUT'>;

/** One model behind its own breaker, within its caller's time, seen by metrics and traces. */
export class GuardedModel {
  readonly #breaker: CircuitBreaker;

  constructor(
    readonly model: LanguageModel,
    private readonly config: TimeLimits,
    private readonly logger: Logger,
  ) {
    this.#breaker = circuitBreaker(`llm.${model.provider}.${model.name}`, {
      service: 'generation',
      timeoutMs: Infinity, // its calls have deadlines of their own
      isFailure: (error) => !ASKERS.has(outcomeOf(error)),
    });
  }

  /**
   * Asks it, and once more when it was only busy and asks for no longer pause than a caller would wait for a first token, or a moment
   * while another model is left. Resolves with the first piece of its answer.
   * @param isLast no other model is left.
   * @throws RagmeshError as {@link LanguageModel.chat}; DEPENDENCY.UNAVAILABLE while its breaker is open.
   */
  async begin(call: ChatCall, isLast: boolean): Promise<BegunAnswer> {
    const patience = call.deadline.remainingMs / 2;
    const capMs = Math.min(isLast ? this.config.LLM_FIRST_TOKEN_TIMEOUT * 1000 : SHORT_PAUSE_MS, patience);
    const attempt = async (): Promise<BegunAnswer | { failure: unknown }> => {
      try {
        return await this.#open(call, isLast);
      } catch (failure) {
        if (isWorthAnotherTry(failure)) throw failure;
        return { failure };
      }
    };
    const result = await retryWithJitter(attempt, { attempts: 2, capMs, signal: call.signal });
    if ('failure' in result) throw result.failure;
    return result;
  }

  /** Counts how a call went. */
  count(outcome: string): void {
    counter('ragmesh_llm_calls_total').inc({ ...this.#labels, outcome });
  }

  close(): void {
    this.#breaker.shutdown();
  }

  get #labels(): { provider: string; model: string } {
    return { provider: this.model.provider, model: this.model.name };
  }

  async #open(call: ChatCall, isLast: boolean): Promise<BegunAnswer> {
    const { provider, model } = this.#labels;
    const attributes = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': provider,
      'gen_ai.request.model': model,
    };
    const { span } = startSpan(`chat ${model}`, { kind: SpanKind.CLIENT, attributes });
    const started = performance.now();
    try {
      const limits = this.#limits(call.deadline, isLast);
      const open = (signal: AbortSignal): AsyncGenerator<ChatPiece> =>
        startingWithText(this.model, call, limits, signal);
      const pieces = streamThrough(this.#breaker, open, call.signal);
      const { value } = await pieces.next();
      histogram('ragmesh_llm_first_token_seconds').observe(this.#labels, (performance.now() - started) / 1000);
      return { pieces, first: (value as { text: string }).text, span };
    } catch (error) {
      const outcome = outcomeOf(error);
      // Answers that end so are answers, and are counted so; without a word they are none.
      this.count(outcome === 'length' || outcome === 'withheld' ? 'empty' : outcome);
      markFailed(span, error);
      span.end();
      this.logger.warn({ ...this.#labels, outcome }, 'A language model gave no answer');
      throw error;
    }
  }

  #limits(deadline: Deadline, isLast: boolean): ChatTimeLimits {
    const { LLM_FIRST_TOKEN_TIMEOUT, LLM_IDLE_TIMEOUT, LLM_TOTAL_TIMEOUT } = this.config;
    const left = Math.max(0, deadline.remainingMs - RESERVE_MS);
    return {
      firstTokenMs: Math.min(LLM_FIRST_TOKEN_TIMEOUT * 1000, isLast ? left : left / 2),
      idleMs: LLM_IDLE_TIMEOUT * 1000,
      totalMs: Math.min(LLM_TOTAL_TIMEOUT * 1000, left),
    };
  }
}

/** An answer without a single piece of text is none, unless it may have ended before its first. */
async function* startingWithText(
  model: LanguageModel,
  request: ChatRequest,
  limits: ChatTimeLimits,
  signal: AbortSignal,
): AsyncGenerator<ChatPiece> {
  let isEmpty = true;
  for await (const piece of endingAt(model.chat(request, limits, signal), request.stop ?? [])) {
    if (isEmpty && piece.type === 'end') {
      const { reason, usage } = piece;
      if (reason !== 'stop' || !request.stop?.length)
        throw chatFailure(reason === 'stop' ? 'garbage' : reason, 'The language model gave an empty answer.', {
          ...(usage ?? estimateUsage(request, '')),
        });
      yield { type: 'text', text: '' };
    }
    isEmpty = false;
    yield piece;
  }
}

/** Ends the model's work at the first of the sequences, also when it does not look for them itself. */
async function* endingAt(pieces: AsyncIterable<ChatPiece>, sequences: readonly string[]): AsyncGenerator<ChatPiece> {
  const stop = new StopSequences(sequences);
  for await (const piece of pieces) {
    const text = piece.type === 'text' ? stop.push(piece.text) : stop.end();
    if (text !== '') yield { type: 'text', text };
    if (stop.isFound) break;
    if (piece.type === 'end') yield piece;
  }
  if (stop.isFound) yield { type: 'end', reason: 'stop' };
}
