import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from '@ragmesh/observability';
import type { Role } from '../auth/roles.js';
import type { Slot } from './admission.js';
import type { BodyRoom } from './body-memory.js';

/** What one request carries from its first byte to its last, also where no async context reaches. */
export interface RequestScope {
  readonly requestId: string;
  readonly traceId: string;
  readonly slot: Slot;
  /** Aborts when the client leaves before it has its whole answer. */
  readonly clientLeft: AbortSignal;
  /** Whom its work is for: nobody's until its credential was seen, the default tenant's while authentication is off. */
  context: RequestContext;
  /** What its credential permits; every role while authentication is off. */
  roles: readonly Role[];
  /** What its body holds of the memory for bodies; given back when its response closes. */
  bodyRoom?: BodyRoom;
  /** When its answer must be over, in ms of `performance.now()`; nothing when it has no end of its own. */
  endsAt?: number;
  /** Code of the problem it ended with, for metrics and log. */
  errorCode?: string;
}

const scopes = new WeakMap<object, RequestScope>();

export const setScope = (request: FastifyRequest, scope: RequestScope): void => void scopes.set(request.raw, scope);

/** The scope of a request; undefined only before the first hook ran. */
export const findScope = (request: Pick<FastifyRequest, 'raw'>): RequestScope | undefined => scopes.get(request.raw);

/** The scope of a request inside a handler. */
export function scopeOf({ request }: Pick<FastifyReply, 'request'>): RequestScope {
  const scope = scopes.get(request.raw);
  if (!scope) throw new Error('The request has no scope: the lifecycle hook did not run');
  return scope;
}
