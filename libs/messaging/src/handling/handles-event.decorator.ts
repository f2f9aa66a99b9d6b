import { EventPattern } from '@nestjs/microservices';
import { RAGMESH_TRANSPORT } from '../server/transport-id.js';
import type { EventSpec } from '@ragmesh/contracts';

export interface HandlerOptions {
  /** Inbox key of this handler: frozen, because a rename makes it handle everything again. */
  readonly id: string;
  /** Longest time one attempt may take, in seconds; then it is aborted and retried. */
  readonly deadlineSeconds?: number;
}

/** What the transport reads back from a handler's pattern. */
export interface HandlerExtras extends Required<HandlerOptions> {
  readonly spec: EventSpec;
}

/** Subscribes a controller method `(message: Message<T>, delivery: Delivery) => Promise<HandlerResult>` to an event. */
export function HandlesEvent(spec: EventSpec, options: HandlerOptions): MethodDecorator {
  const extras: HandlerExtras = { deadlineSeconds: 60, ...options, spec };
  return EventPattern(spec.type, RAGMESH_TRANSPORT, extras) as MethodDecorator;
}
