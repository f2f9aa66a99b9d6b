import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

/** Why a call to a model gave nothing; a label of the metric. */
export type ChatOutcome =
  | 'rate_limited'
  | 'server_error'
  | 'refused'
  | 'unreachable'
  | 'slow_first_token'
  | 'idle'
  | 'too_long'
  | 'cut'
  | 'length'
  | 'withheld'
  | 'garbage';

/** A failed call. The next model may do better, whatever the reason. */
export function chatFailure(
  outcome: ChatOutcome,
  message: string,
  details: Record<string, number | string> = {},
  cause?: unknown,
): RagmeshError {
  return new RagmeshError('GENERATION.UNAVAILABLE', message, { outcome, ...details }, { cause });
}

/** The outcome of a failure as the metric names it. */
export function outcomeOf(error: unknown): string {
  if (!isRagmeshError(error)) return 'unexpected';
  if (typeof error.details.outcome === 'string') return error.details.outcome;
  if (error.code === 'REQUEST.CANCELLED') return 'cancelled';
  return error.code === 'DEPENDENCY.UNAVAILABLE' ? 'breaker_open' : 'unexpected';
}

/** Whether the same model may be asked again: it was busy or ill for a moment, and has not begun to answer. */
export function isWorthAnotherTry(error: unknown): boolean {
  return ['rate_limited', 'server_error', 'unreachable'].includes(outcomeOf(error));
}
