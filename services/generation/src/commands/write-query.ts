import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import type { CallScope } from '@ragmesh/grpc';
import { ConversationRepository } from '../adapters/conversation.repository.js';
import { LanguageModels } from '../adapters/language-models.js';
import type { ChargedUsage } from '../adapters/usage-ledger.js';
import { HISTORY_MESSAGES } from '../domain/history.js';
import { condenseTask, gradeTask, hypothesiseTask, paraphraseTask, verifyTask } from '../domain/query-prompts.js';
import type { Grades, QueryTask } from '../domain/query-prompts.js';
import type { Turn } from '../domain/turn.js';
import { currentSpeaker } from './current-speaker.js';

/** What was written, and what it took; nothing where no model was asked. */
export interface Written<T> {
  readonly value: T;
  readonly usage?: ChargedUsage;
}

/** What a language model does for retrieval. Every call needs a provider and fails without one; nothing stands in. */
@Injectable()
export class WriteQuery {
  constructor(
    private readonly models: LanguageModels,
    private readonly conversations: ConversationRepository,
  ) {}

  /**
   * A question that stands alone; the one asked when nothing was said before it.
   * @param before the messages before it, or the id of the conversation that remembers them.
   */
  async condense(question: string, before: readonly Turn[] | string, scope: CallScope): Promise<Written<string>> {
    if (before === '') return { value: question };
    const history =
      typeof before === 'string'
        ? await this.conversations.recentTurns(currentSpeaker(), before, HISTORY_MESSAGES)
        : before;
    return history.length === 0 ? { value: question } : this.#run(condenseTask(question, history, newMark()), scope, 0);
  }

  paraphrase(question: string, count: number, scope: CallScope): Promise<Written<string[]>> {
    return this.#run(paraphraseTask(question, count), scope);
  }

  hypothesise(question: string, scope: CallScope): Promise<Written<string>> {
    return this.#run(hypothesiseTask(question), scope);
  }

  async grade(question: string, passages: readonly string[], scope: CallScope): Promise<Written<Grades>> {
    this.#needProvider();
    return passages.length === 0
      ? { value: { relevant: [], judged: 0 } }
      : this.#run(gradeTask(question, passages, newMark()), scope, 0);
  }

  verify(
    claim: { readonly question: string; readonly answer: string },
    passages: readonly string[],
    scope: CallScope,
  ): Promise<Written<boolean>> {
    return this.#run(verifyTask(claim, passages, newMark()), scope, 0);
  }

  #needProvider(): void {
    if (this.models.isConfigured) return;
    throw new RagmeshError('GENERATION.NO_PROVIDER', 'No language model is configured (APP_LLM_BACKEND is disabled).');
  }

  /** @throws RagmeshError GENERATION.UNAVAILABLE for output that is not what was asked for. */
  async #run<T>(
    { messages, maxTokens, read }: QueryTask<T>,
    scope: CallScope,
    temperature?: number,
  ): Promise<Written<T>> {
    const request = { messages, maxTokens, ...(temperature === undefined ? {} : { temperature }) };
    const { text, usage } = await this.models.complete({ ...request, ...scope });
    const value = read(text);
    if (value !== undefined) return { value, usage };
    const message = 'The language model gave something else than it was asked for.';
    throw new RagmeshError('GENERATION.UNAVAILABLE', message, { outcome: 'garbage', ...usage }); // spent all the same
  }
}

/** Unguessable, so that no document can name it. */
export const newMark = (): string => randomBytes(12).toString('hex');
