import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { generationV1 } from '@ragmesh/contracts';
import { counter, currentContext, currentTenant } from '@ragmesh/observability';
import { decodeCursor } from '@ragmesh/postgres';
import { FeedbackRepository, type FeedbackRow } from '../adapters/feedback.repository.js';
import { checkJudgement } from '../domain/feedback.js';
import { pageOf, pageSize } from './list-page.js';

type FeedbackReply = MessageInitShape<typeof generationV1.FeedbackSchema>;
type ListReply = MessageInitShape<typeof generationV1.ListFeedbackResponseSchema>;

/** What readers of the caller's tenant thought of answers. */
@Controller()
export class FeedbackGrpcController {
  constructor(private readonly feedback: FeedbackRepository) {}

  /** One judgement per reader and answer: a later one takes the place of the first, the same again changes nothing. */
  @GrpcMethod('ConversationService', 'GiveFeedback')
  async give(request: generationV1.GiveFeedbackRequest): Promise<FeedbackReply> {
    const judgement = checkJudgement(request);
    const { row, isNews } = await this.feedback.give(currentTenant(), currentContext()?.subject ?? '', judgement);
    if (isNews) counter('ragmesh_feedback_total').inc({ rating: judgement.rating });
    return toFeedback(row);
  }

  @GrpcMethod('ConversationService', 'ListFeedback')
  async list({ cursor, limit }: generationV1.ListFeedbackRequest): Promise<ListReply> {
    const size = pageSize(limit);
    const rows = await this.feedback.list(currentTenant(), size + 1, decodeCursor(cursor));
    const { page, nextCursor } = pageOf(rows, size);
    return { feedback: page.map(toFeedback), nextCursor };
  }
}

const toFeedback = ({ id, request_id, rating, comment, created_at, updated_at }: FeedbackRow): FeedbackReply => ({
  id,
  requestId: request_id,
  rating,
  comment,
  createdAt: timestampFromDate(created_at),
  updatedAt: timestampFromDate(updated_at),
});
