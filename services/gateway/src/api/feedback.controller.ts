import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import type { generationV1 } from '@ragmesh/contracts';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { valid } from '../http/validation.js';
import { Describe } from '../openapi/describe.js';
import { Calls } from './calls.js';
import { timeText } from './conversations.mapper.js';
import { feedbackPage, feedbackSchema, newFeedback } from './feedback.schema.js';
import { nextCursor, pageQuery } from './paging.schema.js';

type FeedbackBody = z.input<typeof feedbackSchema>;

const feedbackBody = (feedback: generationV1.Feedback): FeedbackBody => ({
  id: feedback.id,
  request_id: feedback.requestId,
  rating: feedback.rating === 'up' ? 'up' : 'down',
  comment: feedback.comment || null,
  created_at: timeText(feedback.createdAt),
  updated_at: timeText(feedback.updatedAt),
});

/** What readers thought of answers. */
@Controller('v1/feedback')
export class FeedbackController {
  constructor(private readonly calls: Calls) {}

  @Post()
  @HttpCode(200)
  @Describe({
    summary: 'Judge an answer; a later judgement takes the place of the first',
    tag: 'Answers',
    body: { 'application/json': newFeedback },
    example: { request_id: '01964b1c-7c1f-7d3c-9a3e-0d2b6f1e5a77', rating: 'up' },
    answers: [{ status: 200, description: 'The judgement that counts now', schema: feedbackSchema }],
    problems: [],
  })
  async give(@Body(valid(newFeedback)) body: z.output<typeof newFeedback>): Promise<FeedbackBody> {
    const { request_id: requestId, rating, comment = '' } = body;
    return feedbackBody(
      await this.calls.conversations.giveFeedback({ requestId, rating, comment }, this.calls.write()),
    );
  }

  @Get()
  @Describe({
    summary: 'List judgements of answers',
    tag: 'Answers',
    query: pageQuery,
    answers: [{ status: 200, description: 'One page, given last first', schema: feedbackPage }],
    problems: [],
  })
  async list(
    @Query(valid(pageQuery)) query: z.output<typeof pageQuery>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.input<typeof feedbackPage>> {
    const page = await this.calls.conversations.listFeedback(query, this.calls.unary(reply));
    return { data: page.feedback.map(feedbackBody), next_cursor: nextCursor(page.nextCursor) };
  }
}
