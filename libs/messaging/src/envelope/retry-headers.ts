import type { BusRecord } from '../driver/bus-driver.js';

const ATTEMPT = 'ragmesh-attempt';
const HANDLER = 'ragmesh-handler';
const ORIGIN = 'ragmesh-origin';
const FIRST_FAILED_AT = 'ragmesh-first-failed-at';

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

export function readRetryState(record: BusRecord): RetryState {
  const { headers, topic, partition, offset } = record;
  const attempt = Number(headers[ATTEMPT] ?? '1');
  return {
    attempt: Number.isInteger(attempt) && attempt > 0 ? attempt : 1,
    ...(headers[HANDLER] ? { handlerId: headers[HANDLER] } : {}),
    origin: headers[ORIGIN] ?? `${topic}/${partition}/${offset}`,
    ...(headers[FIRST_FAILED_AT] ? { firstFailedAt: headers[FIRST_FAILED_AT] } : {}),
  };
}

/** Headers of the copy that goes to a retry topic: the original's, and what the next attempt has to know. */
export function retryHeaders(record: BusRecord, handlerId: string, attempt: number, now: Date): Record<string, string> {
  const state = readRetryState(record);
  return {
    ...record.headers,
    [ATTEMPT]: String(attempt),
    [HANDLER]: handlerId,
    [ORIGIN]: state.origin,
    [FIRST_FAILED_AT]: state.firstFailedAt ?? now.toISOString(),
  };
}

/** Topic of the original record, out of {@link RetryState.origin}. */
export const originTopic = (state: RetryState): string => state.origin.split('/')[0]!;
