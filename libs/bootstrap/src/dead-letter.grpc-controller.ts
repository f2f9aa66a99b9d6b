import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import type { messagingV1 } from '@ragmesh/contracts';
import { DeadLetterStore } from '@ragmesh/inbox';
import { currentTenant } from '@ragmesh/observability';
import { SERVICE_NAME } from './service-name.js';

const MAX_LIMIT = 200;

/** Every service that consumes events shows what it gave up. */
@Controller()
export class DeadLetterGrpcController {
  constructor(
    private readonly letters: DeadLetterStore,
    @Inject(SERVICE_NAME) private readonly service: string,
  ) {}

  @GrpcMethod('DeadLetterService', 'ListDeadLetters')
  async list({
    limit,
    cursor,
  }: messagingV1.ListDeadLettersRequest): Promise<MessageInitShape<typeof messagingV1.ListDeadLettersResponseSchema>> {
    const wanted = Math.min(limit || 50, MAX_LIMIT);
    const letters = await this.letters.list(currentTenant(), wanted, cursor || undefined);
    return {
      deadLetters: letters.map((letter) => ({
        id: letter.id,
        service: this.service,
        handler: letter.handler_id,
        topic: letter.origin_topic,
        partition: letter.origin_partition,
        offset: BigInt(letter.origin_offset),
        eventId: letter.event_id,
        eventType: letter.event_type,
        subject: letter.subject,
        code: letter.code,
        message: letter.message,
        attempts: letter.attempts,
        firstFailedAt: timestampFromDate(letter.first_failed_at),
        lastFailedAt: timestampFromDate(letter.last_failed_at),
      })),
      nextCursor: letters.length === wanted ? letters.at(-1)!.id : '',
    };
  }
}
