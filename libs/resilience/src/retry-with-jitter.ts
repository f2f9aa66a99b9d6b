import { setTimeout as sleep } from 'node:timers/promises';
import { isRagmeshError } from '@ragmesh/errors';
import { advisedPauseMs } from './retry-after.js';
import type { RetryBudget } from './retry-budget.js';

export interface RetryOptions {
  /** Tries in all, the first included. */
  readonly attempts?: number;
  readonly baseMs?: number;
  readonly capMs?: number;
  readonly budget?: RetryBudget;
  /** Ends the waiting between tries. */
  readonly signal?: AbortSignal;
}

/** "Decorrelated jitter": uniform between base and three times the last pause, capped (M. Brooker, AWS, 2015). */
export function nextPause(lastMs: number, baseMs: number, capMs: number, random = Math.random()): number {
  return Math.min(capMs, baseMs + random * Math.max(0, lastMs * 3 - baseMs));
}

/** Whether another try can help and is not asked to come later than `capMs`. */
function isWorthRetrying(error: unknown, capMs: number): boolean {
  return isRagmeshError(error) && error.retry === 'transient' && advisedPauseMs(error) <= capMs;
}

/**
 * Calls `attempt` again after transient RagmeshErrors, never after others. Only for calls that may run twice. An error's
 * `details.retryAfter` (seconds) is waited for; when it is longer than `capMs` the error is handed to the caller at once.
 */
export async function retryWithJitter<T>(
  attempt: (count: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { attempts = 3, baseMs = 50, capMs = 2_000, budget, signal } = options;
  budget?.noteCall();
  let pauseMs = baseMs;
  for (let count = 1; ; count += 1) {
    try {
      return await attempt(count);
    } catch (error) {
      if (!isWorthRetrying(error, capMs) || count >= attempts || signal?.aborted === true || budget?.spend() === false)
        throw error;
      pauseMs = nextPause(pauseMs, baseMs, capMs);
      await sleep(Math.max(pauseMs, advisedPauseMs(error)), undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
