import { Injectable } from '@nestjs/common';
import { answerEvents, type AnswerEvent } from '../domain/answer-stream.js';
import { answerExtractively } from '../domain/extractive-answerer.js';
import type { Source } from '../domain/source.js';
import { GenerationEvents } from '../publishes/generation-events.js';

/** What the extractive answerer is called where answers name their model. */
const EXTRACTIVE = 'extractive';

/** The end of an answer: who wrote it, what it took and which fallbacks were taken. */
export interface CompletedAnswer {
  readonly type: 'completed';
  readonly model: string;
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
  readonly degraded: readonly string[];
  readonly llmMs: number;
}

/** Answers a question from its sources by quoting them; without a provider to fail, nothing is degraded. */
@Injectable()
export class GenerateAnswer {
  constructor(private readonly events: GenerationEvents) {}

  *run(question: string, sources: readonly Source[]): Generator<AnswerEvent | CompletedAnswer> {
    const started = performance.now();
    const answer = answerExtractively(question, sources);
    yield* answerEvents(answer);
    const llmMs = performance.now() - started;
    const usage = { promptTokens: 0, completionTokens: 0 };
    const citations = answer.citations.length;
    this.events.generationCompleted({ model: EXTRACTIVE, citations, ...usage, totalMs: llmMs });
    yield { type: 'completed', model: EXTRACTIVE, usage, degraded: [], llmMs };
  }
}
