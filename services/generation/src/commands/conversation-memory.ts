import { Inject, Injectable } from '@nestjs/common';
import { LOGGER } from '@ragmesh/bootstrap';
import { currentContext, currentTenant, type Logger } from '@ragmesh/observability';
import { ConversationRepository } from '../adapters/conversation.repository.js';
import type { AnswerRequest } from '../domain/answer-request.js';
import { textOf, type AnswerEvent } from '../domain/answer-stream.js';
import { checkConversationId } from '../domain/conversation-id.js';
import { HISTORY_MESSAGES } from '../domain/history.js';
import type { Turn } from '../domain/turn.js';
import { currentSpeaker } from './current-speaker.js';

export interface Remembered {
  readonly tenant: string;
  /** The last messages, oldest first. */
  readonly turns: readonly Turn[];
  /** They could not be read. */
  readonly isMissing: boolean;
}

/** What was said before, for the prompt; a memory that fails makes answers forgetful, it does not prevent them. */
@Injectable()
export class ConversationMemory {
  constructor(
    private readonly conversations: ConversationRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID for an id that cannot be one. */
  async recall({ conversationId, history }: AnswerRequest): Promise<Remembered> {
    const tenant = currentTenant();
    if (history.length > 0) return { tenant, turns: history, isMissing: false };
    if (conversationId === '') return { tenant, turns: [], isMissing: false };
    checkConversationId(conversationId);
    try {
      const turns = await this.conversations.recentTurns(currentSpeaker(), conversationId, HISTORY_MESSAGES);
      return { tenant, turns, isMissing: false };
    } catch (error) {
      this.logger.warn({ err: error }, 'A conversation cannot be read; its answer is given without it');
      return { tenant, turns: [], isMissing: true };
    }
  }

  /**
   * Adds question and complete answer to the conversation, if there is one.
   * @param readAt when its sources began to be read, in ms of `performance.now()`.
   * @returns false when that failed.
   */
  async keep(
    { conversationId, collection, question }: AnswerRequest,
    given: readonly AnswerEvent[],
    readAt: number,
  ): Promise<boolean> {
    if (conversationId === '') return true;
    const requestId = currentContext()?.requestId ?? '';
    const text = textOf(given);
    const cited = given.flatMap((event) => (event.type === 'citation' ? event.citation.documentId : []));
    const documentIds = [...new Set(cited)];
    try {
      await this.conversations.append(currentSpeaker(), conversationId, [
        { role: 'user', text: question, requestId },
        { role: 'assistant', text, requestId, documentIds, collection, readAt },
      ]);
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'An answer was not added to its conversation');
      return false;
    }
  }
}
