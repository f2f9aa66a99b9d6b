import type { ServiceName } from '@ragmesh/contracts';
import { outgoingHandler, withoutRetryState } from '@ragmesh/messaging';
import { inContext } from '@ragmesh/observability';
import type { KeepRefused } from '@ragmesh/outbox';
import type { SqlTransaction } from '@ragmesh/postgres';
import { insertDeadLetter } from './dead-letter-store.js';
import type { DeadLetter } from './dead-letter.js';
import { publishGivenUp } from './error-event.js';
import { storableFailure } from './storable-failure.js';

/** Stands for the place on the bus that a refused event does not have; its offset is the number of its row. */
const NOWHERE = -1;

const RELEASE = `
  UPDATE outbox SET error = NULL, available_at = now() + $3 * interval '1 millisecond'
  WHERE topic = $1 AND id = $2 AND error IS NOT NULL`;

const DROP = 'DELETE FROM outbox WHERE topic = $1 AND id = $2 AND published_at IS NULL';

/**
 * Keeps an event that the bus refuses as a dead letter of the service that made it, and says `error.occurred`: what waits for
 * the event fails now and not at its deadline.
 */
export function keepRefusedEvents(service: ServiceName): KeepRefused {
  return async (tx, { causedBy }, { id, topic, key, headers, value }, error) => {
    const place = { topic, partition: NOWHERE, offset: Number(id), timestamp: Date.now() };
    const handlerId = outgoingHandler(service);
    const failure = { record: { ...place, key, headers, value }, handlerId, attempt: 1, error };
    const letter = { ...failure.record, headers: withoutRetryState(headers) };
    if (!(await insertDeadLetter(tx, storableFailure({ ...failure, record: letter })))) return;
    const { ce_id: eventId = '', ce_tenant: tenant = 'default', ce_correlation: requestId = '' } = headers;
    inContext({ tenant, requestId, subject: service }, () => publishGivenUp(causedBy(eventId), service, failure));
  };
}

/** Has the relay try a refused event again. */
export function releaseRefused(tx: SqlTransaction, letter: DeadLetter, delayMs: number): void {
  tx.write(RELEASE, [letter.origin_topic, letter.origin_offset, Math.round(delayMs)]);
}

/** Gives the event of such a letter up for good. */
export function dropRefused(tx: SqlTransaction, letter: DeadLetter): void {
  tx.write(DROP, [letter.origin_topic, letter.origin_offset]);
}
