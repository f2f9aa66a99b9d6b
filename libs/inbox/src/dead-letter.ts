import type { BusRecord } from '@ragmesh/messaging';

/**
 * `parked`: given up, waits for a decision. `replaying`: its event is on its way again. `quarantined`: parked, and replayed
 * in vain so often that it is not replayed any more. `replayed`: handled after all. `discarded`: given up for good.
 */
export type DeadLetterStatus = 'parked' | 'replaying' | 'quarantined' | 'replayed' | 'discarded';

/** Replays in vain after which a letter is quarantined. */
export const MAX_REPLAYS = 3;

/** A dead letter as an operator sees it in a list: never the payload. */
export interface DeadLetterSummary {
  readonly id: string;
  readonly tenant: string;
  readonly handler_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly subject: string;
  readonly origin_topic: string;
  readonly origin_partition: number;
  readonly origin_offset: number;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
  readonly status: DeadLetterStatus;
  readonly replays: number;
  /** Place in a list that is sorted by this, descending; comparable between services. */
  readonly cursor: string;
}

/** The letter with the event as it lay on the bus. */
export interface DeadLetter extends DeadLetterSummary {
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: Buffer;
  readonly note: string;
}

/** One replay; `result` is null while it is under way. */
export interface DeadLetterReplay {
  readonly number: number;
  readonly requested_at: Date;
  readonly requested_by: string;
  readonly result: 'succeeded' | 'failed' | null;
  readonly code: string;
  readonly finished_at: Date | null;
}

/** What matches; a field that is left out matches everything, a status that is left out whatever is not settled. */
export interface DeadLetterFilter {
  readonly code?: string | undefined;
  readonly topic?: string | undefined;
  readonly handler?: string | undefined;
  readonly subject?: string | undefined;
  readonly status?: string | undefined;
  /** Failed last at this time or later. */
  readonly since?: Date | undefined;
}

/** Letters by id, or when no id is given all that match, oldest first. */
export interface DeadLetterSelection {
  readonly ids: readonly string[];
  readonly filter: DeadLetterFilter;
  readonly limit: number;
}

/** Letters of one tenant and one cause: a reason, a topic and a handler. */
export interface DeadLetterGroup {
  readonly tenant: string;
  readonly code: string;
  readonly topic: string;
  readonly handler: string;
  readonly count: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** The record as it first lay on the bus. */
export function originalRecord(letter: DeadLetter): BusRecord {
  return {
    topic: letter.origin_topic,
    partition: letter.origin_partition,
    offset: letter.origin_offset,
    key: letter.key,
    headers: letter.headers,
    value: letter.value,
    timestamp: letter.first_failed_at.getTime(),
  };
}
