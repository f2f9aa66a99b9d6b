import { catalogue, type ServiceName } from '@ragmesh/contracts';
import { originTopic, readRetryState, unreadableHandler, type Failure } from '@ragmesh/messaging';
import type { OutboxWriter } from '@ragmesh/outbox';
import { scopeOf } from './event-scope.js';

/** Says that an event was given up, so that what waits for it fails now and not at its deadline. */
export function publishGivenUp(
  publish: OutboxWriter['publish'],
  service: ServiceName,
  { record, handlerId, attempt, error }: Failure,
): void {
  const { key, headers, value } = record;
  // Anybody may have written what could not be read: it names no ingestion that is to fail for it.
  const isReadable = handlerId !== unreadableHandler(service);
  publish(catalogue.errorOccurred, key, {
    service,
    handler: handlerId,
    topic: originTopic(readRetryState(record)),
    eventId: headers['ce_id'] ?? '',
    subject: headers['ce_subject'] ?? key,
    ...(isReadable ? scopeOf(headers, value) : { version: 0n }),
    code: error.code,
    message: error.message,
    attempts: attempt,
  });
}
