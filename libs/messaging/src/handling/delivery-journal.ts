import type { RagmeshError } from '@ragmesh/errors';
import type { BusRecord } from '../driver/bus-driver.js';
import type { Message } from '../envelope/message.js';
import type { Delivery } from './delivery.js';
import type { EventHandler } from './event-handler.js';
import type { HandlerResult } from './handler-result.js';

/** What is known of (event, handler) before an attempt. */
export type DeliveryState =
  /** Not seen before, or to be tried again. `starts` counts attempts begun and never ended, this one not included. */
  | { readonly kind: 'open'; readonly starts: number }
  /** Its effect is committed, it was given up, or a later attempt is scheduled: nothing to do. */
  | { readonly kind: 'settled' };

/** An event at the moment its handler failed for good, or its bytes could not be read. */
export interface Failure {
  readonly record: BusRecord;
  readonly handlerId: string;
  readonly attempt: number;
  readonly error: RagmeshError;
}

/** One (event, handler) pair about to be attempted. */
export interface Attempt {
  readonly eventId: string;
  readonly handlerId: string;
  readonly attempt: number;
}

/**
 * Remembers, in the service's own database, what was begun, finished, put off and given up. The inbox library
 * implements it; the pipeline is written against it.
 */
export interface DeliveryJournal {
  /** Notes that these attempts begin, and answers for each in order. Written right before their handlers run. */
  begin(attempts: readonly Attempt[]): Promise<DeliveryState[]>;
  /** Notes one more start of an attempt that was begun before a crash. */
  beginAgain(attempt: Attempt): Promise<void>;
  /**
   * Takes the starts of these attempts back: they were stopped from outside, by a shutdown or because their partition moved, and
   * that says nothing about their events. Nothing happens to those that have ended.
   */
  interrupted(attempts: readonly Attempt[]): Promise<void>;
  /** Commits a handler's effect; see {@link Delivery.commit}. */
  commit(handler: EventHandler, message: Message, ...effect: Parameters<Delivery['commit']>): Promise<HandlerResult>;
  /** Puts an attempt off: a copy goes to the retry topic once `delayMs` has passed, by the database's clock. */
  scheduleRetry(failure: Failure, delayMs: number): Promise<void>;
  /** Gives an event up: keeps it with its failure, publishes it to the dead-letter topic and says `error.occurred`. */
  deadLetter(failure: Failure): Promise<void>;
}
