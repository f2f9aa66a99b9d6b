import { timestampDate, timestampFromDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { messagingV1 } from '@ragmesh/contracts';
import type { z } from 'zod';
import type { deadLetterDetail, deadLetterPage, deadLetterSchema } from './dead-letter.schema.js';

/** Time of an answer; null where there is none. */
export const time = (at: Timestamp | undefined): string | null => (at ? timestampDate(at).toISOString() : null);

interface Filter {
  readonly code?: string | undefined;
  readonly topic?: string | undefined;
  readonly handler?: string | undefined;
  readonly subject?: string | undefined;
  readonly since?: string | undefined;
  readonly status?: string | undefined;
}

export const filterMessage = (
  filter: Filter | undefined,
): MessageInitShape<typeof messagingV1.DeadLetterFilterSchema> => ({
  code: filter?.code ?? '',
  topic: filter?.topic ?? '',
  handler: filter?.handler ?? '',
  subject: filter?.subject ?? '',
  status: filter?.status ?? '',
  ...(filter?.since ? { since: timestampFromDate(new Date(filter.since)) } : {}),
});

export const letterBody = (letter: messagingV1.DeadLetter): z.input<typeof deadLetterSchema> => ({
  id: letter.id,
  tenant: letter.tenant,
  service: letter.service,
  handler: letter.handler,
  topic: letter.topic,
  partition: letter.partition,
  offset: String(letter.offset),
  event_id: letter.eventId,
  event_type: letter.eventType,
  subject: letter.subject,
  code: letter.code,
  message: letter.message,
  attempts: letter.attempts,
  first_failed_at: time(letter.firstFailedAt),
  last_failed_at: time(letter.lastFailedAt),
  status: letter.status as z.input<typeof deadLetterSchema>['status'],
  replays: letter.replays,
});

export const groupBody = (group: messagingV1.DeadLetterGroup): z.input<typeof deadLetterPage>['groups'][number] => ({
  tenant: group.tenant,
  service: group.service,
  code: group.code,
  topic: group.topic,
  handler: group.handler,
  count: Number(group.count),
  oldest: time(group.oldest),
  newest: time(group.newest),
});

export const detailBody = (detail: messagingV1.DeadLetterDetail): z.input<typeof deadLetterDetail> => ({
  ...letterBody(detail.letter!),
  headers: detail.headers,
  payload: (detail.payload ?? null) as z.input<typeof deadLetterDetail>['payload'],
  payload_bytes: Number(detail.payloadBytes),
  trace_id: detail.traceId,
  note: detail.note,
  replay_history: detail.replays.map((replay) => ({
    number: replay.number,
    requested_at: time(replay.requestedAt),
    requested_by: replay.requestedBy,
    result: replay.result as 'running' | 'succeeded' | 'failed',
    code: replay.code || null,
    finished_at: time(replay.finishedAt),
  })),
});
