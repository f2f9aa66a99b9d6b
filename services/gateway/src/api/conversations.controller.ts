import { Body, Controller, Delete, Get, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { conversationBody, messageBody } from './conversations.mapper.js';
import * as schema from './conversations.schema.js';
import { freeIdSchema, nextCursor, pageQuery } from './paging.schema.js';

type Page = z.output<typeof pageQuery>;
const id = valid(freeIdSchema);

/** What was asked and answered under one `conversation_id`. */
@Controller('v1/conversations')
export class ConversationsController {
  constructor(private readonly calls: Calls) {}

  @Post()
  @Describe({
    summary: 'Begin a conversation; any conversation_id of a query begins one, too',
    tag: 'Answers',
    body: { 'application/json': schema.newConversation },
    example: {},
    answers: [
      { status: 201, description: 'It was begun', schema: schema.conversationSchema },
      { status: 200, description: 'It was there already, and is as it was', schema: schema.conversationSchema },
    ],
    problems: ['CONVERSATION.NOT_FOUND'],
  })
  async create(
    @Body(valid(schema.newConversation)) { id: wanted = '' }: z.output<typeof schema.newConversation>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.conversationSchema>> {
    const conversation = await this.calls.conversations.createConversation({ id: wanted }, this.calls.write());
    void reply.status(conversation.begun ? 201 : 200);
    return conversationBody(conversation);
  }

  @Get()
  @Describe({
    summary: 'List your conversations; an admin, those of the tenant',
    tag: 'Answers',
    query: pageQuery,
    answers: [{ status: 200, description: 'One page, begun last first', schema: schema.conversationPage }],
    problems: [],
  })
  async list(
    @Query(valid(pageQuery)) query: Page,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.conversationPage>> {
    const page = await this.calls.conversations.listConversations(query, this.calls.unary(reply));
    return { data: page.conversations.map(conversationBody), next_cursor: nextCursor(page.nextCursor) };
  }

  @Get(':id')
  @Describe({
    summary: 'Read a conversation',
    tag: 'Answers',
    path: schema.conversationPath,
    query: pageQuery,
    answers: [
      { status: 200, description: 'It and one page of its messages, oldest first', schema: schema.conversationDetail },
    ],
    problems: ['CONVERSATION.NOT_FOUND'],
  })
  async get(
    @Param('id', id) conversationId: string,
    @Query(valid(pageQuery)) query: Page,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof schema.conversationDetail>> {
    const request = { id: conversationId, ...query };
    const conversation = await this.calls.conversations.getConversation(request, this.calls.unary(reply));
    return {
      ...conversationBody(conversation),
      messages: conversation.messages.map(messageBody),
      next_cursor: nextCursor(conversation.nextCursor),
    };
  }

  @Delete(':id')
  @Describe({
    summary: 'Delete a conversation with everything in it',
    tag: 'Answers',
    path: schema.conversationPath,
    answers: [{ status: 200, description: 'It is gone', schema: schema.deletedConversation }],
    problems: ['CONVERSATION.NOT_FOUND'],
  })
  async delete(@Param('id', id) conversationId: string): Promise<z.input<typeof schema.deletedConversation>> {
    const gone = await this.calls.conversations.deleteConversation({ id: conversationId }, this.calls.write());
    return { id: conversationId, deleted_messages: gone.deletedMessages };
  }
}
