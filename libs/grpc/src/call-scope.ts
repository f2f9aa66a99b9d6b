import { RagmeshError } from '@ragmesh/errors';
import { Deadline } from '@ragmesh/resilience';

/** What an incoming gRPC call says about its caller's patience. */
export interface IncomingCall {
  readonly cancelled: boolean;
  getDeadline(): Date | number;
  on(event: 'cancelled', listener: () => void): unknown;
}

/** How long the work for a call is of use, and whether anybody still waits for it. */
export interface CallScope {
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
}

/** Longest time a call without a deadline may take. A deadline is a configured one, and configured to be kept. */
const UNLIMITED_CALL_MS = 120_000;

/** One for all: a call that has been answered counts as cancelled, too, so this is needed for every call. */
const GONE = new RagmeshError('REQUEST.CANCELLED', 'The caller went away.');

export function scopeOf(call: IncomingCall): CallScope {
  const caller = new AbortController();
  call.on('cancelled', () => caller.abort(GONE));
  if (call.cancelled) caller.abort(GONE);
  const left = Number(call.getDeadline()) - Date.now();
  const ms = Number.isFinite(left) ? left : UNLIMITED_CALL_MS;
  return { deadline: Deadline.in(ms, caller.signal), signal: caller.signal };
}
