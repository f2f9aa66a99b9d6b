import { catalogue, type ServiceName } from '@ragmesh/contracts';
import { originTopic, readRetryState, type Failure } from '@ragmesh/messaging';
import type { OutboxWriter } from '@ragmesh/outbox';
import { unreadableHandler } from './dead-letter.js';
import { versionOf } from './event-version.js';

/** Says that an event was given up, so that what waits for it fails now and not at its deadline. */
export function publishGivenUp(
  publish: OutboxWriter['publish'],
  service: ServiceName,
  { record, handlerId, attempt, error }: Failure,
): void {
  const { key, headers, value } = record;
  publish(catalogue.errorOccurred, key, {
    service,
    handler: handlerId,
    topic: originTopic(readRetryState(record)),
    eventId: headers['ce_id'] ?? '',
    subject: headers['ce_subject'] ?? key,
    // Anybody may have written what could not be read: it names no ingestion that is to fail for it.
    version: handlerId === unreadableHandler(service) ? 0n : versionOf(headers, value),
    code: error.code,
    message: error.message,
    attempts: attempt,
  });
}
