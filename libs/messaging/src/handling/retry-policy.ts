/** How often and how late an event is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 6, baseMs: 500, capMs: 60_000 };

/**
 * Delay before the attempt after `attempt`, in ms: full jitter, uniform in [0, min(cap, base * 2^(attempt-1))]
 * (M. Brooker, "Exponential Backoff and Jitter", 2015), so failures of one cause do not come back together.
 */
export function retryDelayMs(attempt: number, policy: RetryPolicy, random: number): number {
  return Math.round(random * Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1)));
}
