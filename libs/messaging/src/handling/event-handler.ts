import type { EventSpec } from '@ragmesh/contracts';
import type { Message } from '../envelope/message.js';
import type { Delivery } from './delivery.js';
import type { HandlerResult } from './handler-result.js';

/** A handler as the pipeline calls it. */
export interface EventHandler {
  readonly id: string;
  readonly spec: EventSpec;
  readonly deadlineSeconds: number;
  handle(message: Message, delivery: Delivery): Promise<HandlerResult>;
}

/** In place of a handler, for records of which no handler is known because they cannot be read. */
export const unreadableHandler = (service: string): string => `${service}.unreadable`;

/** In place of a handler, for events of a service that the bus does not take. */
export const outgoingHandler = (service: string): string => `${service}.publish`;

const HANDLER_FORM = /^[a-z0-9.-]{1,64}$/;

/**
 * Whether a name may be that of a handler of this service, in this release or another. Names on retries are not signed: what
 * could be none is nobody's, and names that stand in place of a handler are not for others to use.
 */
export const mayBeHandlerOf = (service: string, id: string): boolean =>
  id.startsWith(`${service}.`) &&
  HANDLER_FORM.test(id) &&
  ![unreadableHandler(service), outgoingHandler(service)].includes(id);

/** Handlers of one service by event type. Two handlers with one id are a fault at start. */
export class HandlerRegistry {
  readonly #byType = new Map<string, EventHandler[]>();
  readonly #ids = new Set<string>();

  add(handler: EventHandler): void {
    if (this.#ids.has(handler.id)) throw new Error(`Two event handlers have the id ${handler.id}`);
    this.#ids.add(handler.id);
    this.#byType.set(handler.spec.type, [...(this.#byType.get(handler.spec.type) ?? []), handler]);
  }

  /** Handlers of a type; only the named one when the record is a retry meant for it. */
  for(type: string, onlyId?: string): readonly EventHandler[] {
    const handlers = this.#byType.get(type) ?? [];
    return onlyId === undefined ? handlers : handlers.filter(({ id }) => id === onlyId);
  }

  get topics(): string[] {
    return [...new Set([...this.#byType.values()].flat().map(({ spec }) => spec.topic))];
  }
}
