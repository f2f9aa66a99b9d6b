import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampDate, timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { messagingV1 } from '@ragmesh/contracts';
import {
  redactedPayload,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterReplay,
  type DeadLetterSelection,
  type DeadLetterSummary,
  type Settlement,
} from '@ragmesh/inbox';

const MAX_SELECTED = 1_000;
/** Headers of the protocol. Others are a stranger's and may say anything. */
const KNOWN_HEADERS = /^(ce_\w+|content-type|traceparent|tracestate|ragmesh-[\w-]+)$/;
const LONGEST_HEADER = 300;

export const toFilter = (filter: messagingV1.DeadLetterFilter | undefined): DeadLetterFilter => ({
  code: filter?.code,
  topic: filter?.topic,
  handler: filter?.handler,
  subject: filter?.subject,
  status: filter?.status,
  since: filter?.since && timestampDate(filter.since),
});

export const toSelection = (selection: messagingV1.DeadLetterSelection | undefined): DeadLetterSelection => ({
  ids: selection?.ids ?? [],
  filter: toFilter(selection?.filter),
  limit: Math.min(selection?.limit || MAX_SELECTED, MAX_SELECTED),
});

export const toLetter = (
  service: string,
  letter: DeadLetterSummary,
): MessageInitShape<typeof messagingV1.DeadLetterSchema> => ({
  id: letter.id,
  tenant: letter.tenant,
  service,
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
  status: letter.status,
  replays: letter.replays,
  cursor: letter.cursor,
});

export function toDetail(
  service: string,
  letter: DeadLetter,
  replays: readonly DeadLetterReplay[],
): MessageInitShape<typeof messagingV1.DeadLetterDetailSchema> {
  const payload = redactedPayload(letter.event_type, letter.value);
  return {
    letter: toLetter(service, letter),
    headers: Object.fromEntries(Object.entries(letter.headers).map(([name, value]) => [name, shown(name, value)])),
    ...(payload ? { payload } : {}),
    payloadBytes: BigInt(letter.value.byteLength),
    traceId: letter.headers['traceparent']?.split('-')[1] ?? '',
    replays: replays.map(toReplay),
    note: letter.note,
  };
}

const shown = (name: string, value: string): string =>
  KNOWN_HEADERS.test(name) ? value.slice(0, LONGEST_HEADER) : `[text of ${value.length} characters]`;

const toReplay = (replay: DeadLetterReplay): MessageInitShape<typeof messagingV1.DeadLetterReplaySchema> => ({
  number: replay.number,
  requestedAt: timestampFromDate(replay.requested_at),
  requestedBy: replay.requested_by,
  result: replay.result ?? 'running',
  code: replay.code,
  ...(replay.finished_at ? { finishedAt: timestampFromDate(replay.finished_at) } : {}),
});

export const toSettlement = ({
  letters,
  matched,
}: Settlement): MessageInitShape<typeof messagingV1.SettleDeadLettersResponseSchema> => ({
  matched: BigInt(matched),
  letters: letters.map(({ id, refusal }) => ({
    id,
    accepted: refusal === undefined,
    code: refusal?.code ?? '',
    message: refusal?.message ?? '',
  })),
});
