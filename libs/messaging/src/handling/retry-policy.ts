import type { RagmeshError } from '@ragmesh/errors';

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

/** Whether an event that failed this way at its nth attempt, from 1, gets another one. */
export function mayTryAgain(attempt: number, error: RagmeshError, policy: RetryPolicy): boolean {
  if (error.retry === 'permanent') return false;
  return attempt < (OUTAGES.includes(error.spec.status) ? policy.attemptsInOutage : policy.attempts);
}

/**
 * Delay before the attempt after `attempt`, in ms: full jitter, uniform in [0, min(cap, base * 2^(attempt-1))]
 * (M. Brooker, "Exponential Backoff and Jitter", 2015), so failures of one cause do not come back together.
 */
export function retryDelayMs(attempt: number, policy: RetryPolicy, random: number): number {
  return Math.round(random * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1)));
}
