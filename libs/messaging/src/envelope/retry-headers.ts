import { eventTopicOf } from '@ragmesh/contracts';
import type { BusRecord } from '../driver/bus-driver.js';

const ATTEMPT = 'ragmesh-attempt';
const HANDLER = 'ragmesh-handler';
const ORIGIN = 'ragmesh-origin';
const FIRST_FAILED_AT = 'ragmesh-first-failed-at';
/** Topic, partition, offset. */
const ORIGIN_FORM = /^([^/]+)\/\d{1,9}\/\d{1,15}$/;
const MAX_ATTEMPT = 1_000_000;

/** Which attempt a record is, whose, and where the event first lay. */
export interface RetryState {
  /** 1 for a record that was never put off. */
  readonly attempt: number;
  /** Set on a retry: the one handler it is for. */
  readonly handlerId?: string;
  /** `topic/partition/offset` of the original record. */
  readonly origin: string;
  readonly firstFailedAt?: string;
}

/**
 * Reads what a copy says of its original. These headers are not signed: what no copy of this topic would say is taken as not
 * said, so that a record somebody made up cannot name a topic there is none of, or a number no table takes.
 */
export function readRetryState(record: BusRecord): RetryState {
  const { headers } = record;
  const attempt = Number(headers[ATTEMPT] ?? '1');
  const firstFailed = new Date(headers[FIRST_FAILED_AT] ?? '');
  return {
    attempt: Number.isInteger(attempt) && attempt > 0 && attempt <= MAX_ATTEMPT ? attempt : 1,
    ...(headers[HANDLER] ? { handlerId: headers[HANDLER] } : {}),
    origin: originOf(record),
    ...(Number.isNaN(firstFailed.getTime()) ? {} : { firstFailedAt: firstFailed.toISOString() }),
  };
}

function originOf({ headers, topic, partition, offset }: BusRecord): string {
  const said = ORIGIN_FORM.exec(headers[ORIGIN] ?? '');
  if (said && [topic, eventTopicOf(topic)].includes(said[1]!)) return said[0];
  return `${topic}/${partition}/${offset}`;
}

/** Headers of any copy of a failed record: the original's, where that lay, and when it first failed, which is `now` if never before. */
export function failureHeaders(record: BusRecord, now: Date): Record<string, string> {
  const { origin, firstFailedAt = now.toISOString() } = readRetryState(record);
  return { ...record.headers, [ORIGIN]: origin, [FIRST_FAILED_AT]: firstFailedAt };
}

/** Headers of the copy that goes to a retry topic: the original's, and what the next attempt has to know. */
export function retryHeaders(record: BusRecord, handlerId: string, attempt: number, now: Date): Record<string, string> {
  return { ...failureHeaders(record, now), [ATTEMPT]: String(attempt), [HANDLER]: handlerId };
}

/** Headers of the event itself, out of those of a copy. */
export function withoutRetryState(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { [ATTEMPT]: _, [HANDLER]: __, [ORIGIN]: ___, [FIRST_FAILED_AT]: ____, ...envelope } = headers;
  return envelope;
}

/** Headers of a copy for whoever handles such events, as if it came for the first time; where it lay is still said. */
export function forAllHandlers(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { [ATTEMPT]: _, [HANDLER]: __, ...rest } = headers;
  return rest;
}

/** Topic of the event, out of {@link RetryState.origin}; also for a record that somebody put on a retry topic himself. */
export const originTopic = (state: RetryState): string => eventTopicOf(state.origin.split('/')[0]!);
