import { isRagmeshError } from '@ragmesh/errors';
import type { Logger } from './logger.js';
import { currentContext } from './request-context.js';
import { safeError } from './safe-error.js';
import { currentTraceId } from './tracing.js';

/** Where an unexpected error came up: all that is told of it beside its class and its stack. */
export interface ErrorPlace {
  readonly service: string;
  /** Name of a route, method or handler; never a URL, which holds what users typed. */
  readonly where: string;
  readonly requestId?: string;
  readonly traceId?: string;
}

/** Sends errors to whoever collects them. Must not throw and not wait. */
export type ErrorReporter = (error: Error, place: ErrorPlace) => void;

let reporter: ErrorReporter | undefined;

/** Sets who is told of unexpected errors of this process; undefined: nobody. */
export const useErrorReporter = (use: ErrorReporter | undefined): void => void (reporter = use);

/**
 * Tells of an error nobody foresaw, a fault of the program. Errors of ours are expected, and those another service sent were
 * told of there: both are passed over.
 * @param logger for whoever has not logged it: its caller is told no more than an id to find it by.
 */
export function reportUnexpected(thrown: unknown, place: ErrorPlace, logger?: Logger): void {
  const error = causeOf(thrown);
  if (!error) return;
  if (logger) {
    const { name, code, calls } = safeError(error);
    const reason = code === undefined ? name : `${name} ${code}`;
    logger.error(
      { code: 'INTERNAL.UNEXPECTED', where: place.where, reason, stack: calls },
      'A call failed unexpectedly',
    );
  }
  if (!reporter) return;
  const requestId = currentContext()?.requestId ?? '';
  reporter(error, { requestId, traceId: currentTraceId(), ...place });
}

function causeOf(thrown: unknown): Error | undefined {
  if (isRagmeshError(thrown)) {
    if (thrown.code !== 'INTERNAL.UNEXPECTED') return undefined;
    return thrown.cause === undefined ? undefined : causeOf(thrown.cause);
  }
  return thrown instanceof Error ? thrown : new Error('Something was thrown that is no error');
}
