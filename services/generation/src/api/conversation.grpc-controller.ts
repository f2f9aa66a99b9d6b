import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { decodeCursor } from '@ragmesh/postgres';
import { v7 as uuidv7 } from 'uuid';
import { ConversationRepository, type ConversationRow } from '../adapters/conversation.repository.js';
import { currentSpeaker } from '../commands/current-speaker.js';
import { checkConversationId } from '../domain/conversation-id.js';
import type { KeptTurn } from '../domain/turn.js';
import { turnCursor, turnPage } from '../domain/turn-page.js';
import { pageOf, pageSize } from './list-page.js';

type ConversationReply = MessageInitShape<typeof generationV1.ConversationSchema>;
type ListReply = MessageInitShape<typeof generationV1.ListConversationsResponseSchema>;
type DeleteReply = MessageInitShape<typeof generationV1.DeleteConversationResponseSchema>;

/** The caller's conversations; those of the whole tenant to whom no access list stops. */
@Controller()
export class ConversationGrpcController {
  constructor(private readonly conversations: ConversationRepository) {}

  /** Begins an empty one; one that is there already stays as it is. */
  @GrpcMethod('ConversationService', 'CreateConversation')
  async create({ id }: generationV1.CreateConversationRequest): Promise<ConversationReply> {
    const wanted = id === '' ? uuidv7() : checkConversationId(id);
    const conversation = await this.conversations.begin(currentSpeaker(), wanted);
    return { ...toConversation(conversation), begun: conversation.begun };
  }

  @GrpcMethod('ConversationService', 'ListConversations')
  async list({ cursor, limit }: generationV1.ListConversationsRequest): Promise<ListReply> {
    const size = pageSize(limit);
    const rows = await this.conversations.list(currentSpeaker(), size + 1, decodeCursor(cursor));
    const { page, nextCursor } = pageOf(rows, size);
    return { conversations: page.map(toConversation), nextCursor };
  }

  @GrpcMethod('ConversationService', 'GetConversation')
  async get({ id, cursor, limit }: generationV1.GetConversationRequest): Promise<ConversationReply> {
    const [speaker, after, size] = [currentSpeaker(), turnCursor(cursor), pageSize(limit)];
    const conversation = await this.conversations.get(speaker, id);
    const turns = await this.conversations.turns(speaker.tenant, id, after, size + 1);
    const { page, nextCursor } = turnPage(turns, size);
    return { ...toConversation(conversation), messages: page.map(toTurn), nextCursor };
  }

  @GrpcMethod('ConversationService', 'DeleteConversation')
  async delete({ id }: generationV1.DeleteConversationRequest): Promise<DeleteReply> {
    return { deletedMessages: await this.conversations.delete(currentSpeaker(), id) };
  }
}

const toConversation = ({ id, created_at, updated_at, turns }: ConversationRow) => ({
  id,
  createdAt: timestampFromDate(created_at),
  updatedAt: timestampFromDate(updated_at),
  turns,
});

const toTurn = ({ role, text, createdAt, requestId, documentIds, withdrawn }: KeptTurn) => ({
  role,
  text,
  requestId,
  documentIds: [...documentIds],
  withdrawn,
  createdAt: timestampFromDate(createdAt),
});
