import { types } from 'node:util';
import { isRagmeshError } from '@ragmesh/errors';

/** What an error holds beside its message, which may quote what a parser or a driver stumbled over. */
export interface SafeError {
  /** Its class, and the code it came with, a driver's say. */
  readonly name: string;
  readonly code: string | undefined;
  /** The calls of its stack, innermost first, a line each. */
  readonly calls: string;
}

export function safeError(error: Error): SafeError {
  const { code } = error as { code?: unknown };
  const isCode = typeof code === 'string' && /^[A-Z0-9_.]{1,40}$/.test(code);
  return { name: error.name, code: isCode ? code : undefined, calls: callsOf(error) };
}

/** The stack without the message, whose lines may look like calls. */
function callsOf({ stack = '', message }: Error): string {
  const at = stack.indexOf(message);
  if (at < 0) return message.includes('\n') ? '' : stack.slice(Math.max(0, stack.indexOf('\n    at ')));
  return stack.slice(at + message.length);
}

/** An error as a line of the log tells it, with what caused it. */
export interface LoggedError {
  readonly type: string;
  readonly code?: string;
  /** Of our errors, and of those of the operating system, which name a host, a port or a path. Others may quote a document. */
  readonly message?: string;
  readonly stack?: string;
  readonly cause?: LoggedError;
}

/** Causes that are followed, so that errors that name each other come to an end. */
const MOST_CAUSES = 5;

export function loggedError(thrown: unknown, depth = 0): LoggedError {
  if (!types.isNativeError(thrown)) return { type: typeof thrown };
  const { name, code, calls } = safeError(thrown);
  const [first] = (thrown as Partial<AggregateError>).errors ?? [];
  const cause = first ?? thrown.cause;
  return {
    type: name,
    ...(code === undefined ? {} : { code }),
    ...(isRagmeshError(thrown) || isSystemError(thrown) ? { message: thrown.message } : {}),
    stack: calls.trim(),
    ...(cause === undefined || depth === MOST_CAUSES ? {} : { cause: loggedError(cause, depth + 1) }),
  };
}

const isSystemError = (error: Error): boolean =>
  typeof (error as NodeJS.ErrnoException).syscall === 'string' &&
  typeof (error as NodeJS.ErrnoException).errno === 'number';
