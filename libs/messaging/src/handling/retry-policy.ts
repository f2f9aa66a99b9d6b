import type { RagmeshError } from '@ragmesh/errors';
import { advisedPauseMs } from '@ragmesh/resilience';

/** How often and how late an event is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included, where the event itself may be the cause. */
  readonly attempts: number;
  /** Attempts in all while something the handler needs is away: enough of them to outlast an outage of minutes. */
  readonly attemptsInOutage: number;
  readonly baseMs: number;
  readonly capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  attempts: 6,
  attemptsInOutage: 14,
  baseMs: 500,
  capMs: 60_000,
};

/** HTTP: service unavailable, insufficient storage. */
const OUTAGES: readonly number[] = [503, 507];

/** Share of the time that was asked for over which those who were asked come back. */
const SPREAD = 0.25;

/** Whether an event that failed this way at its nth attempt, from 1, gets another one. Who is asked to come later is not to blame. */
export function mayTryAgain(attempt: number, error: RagmeshError, policy: RetryPolicy): boolean {
  if (error.retry === 'permanent') return false;
  const isOutage = OUTAGES.includes(error.spec.status) || advisedPauseMs(error) > 0;
  return attempt < (isOutage ? policy.attemptsInOutage : policy.attempts);
}

/**
 * Delay before the attempt after `attempt`, in ms: full jitter, uniform in [0, min(cap, base * 2^(attempt-1))]
 * (M. Brooker, "Exponential Backoff and Jitter", 2015), so failures of one cause do not come back together. It begins when what
 * failed asked for is over, which is after ten minutes at most: a document fails when nothing of it gets further for a quarter of an hour.
 */
export function retryDelayMs(attempt: number, error: RagmeshError, policy: RetryPolicy, random: number): number {
  const adviceMs = advisedPauseMs(error);
  const jitterMs = Math.max(Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1)), SPREAD * adviceMs);
  return Math.round(adviceMs + random * jitterMs);
}
