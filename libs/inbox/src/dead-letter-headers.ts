import { failureHeaders, type Failure } from '@ragmesh/messaging';
import { storableText } from '@ragmesh/postgres';

/** Headers count towards the largest record a topic takes, and foreign words have any length. */
const MAX_REASON = 1_000;

/**
 * Headers of the copy that goes to a dead-letter topic: the event's, where it first lay, and why, by whom and when it was given
 * up; for who reads the topic and not this service's letters.
 * @param failure as `storableFailure` gives it.
 */
export function deadLetterHeaders(failure: Failure, now: Date): Record<string, string> {
  const { record, handlerId, attempt, error } = failure;
  return {
    ...failureHeaders(record, now),
    'ragmesh-dlt-reason': storableText(error.message.slice(0, MAX_REASON)),
    'ragmesh-dlt-code': error.code,
    'ragmesh-dlt-handler': handlerId,
    'ragmesh-dlt-attempts': String(attempt),
    'ragmesh-dlt-failed-at': now.toISOString(),
  };
}
