import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { defaultRetryPolicy, mayTryAgain, retryDelayMs } from './retry-policy.js';

const outage = new RagmeshError('VECTOR.UNAVAILABLE', 'The index is away.');
const unforeseen = new RagmeshError('INTERNAL.UNEXPECTED', 'Something went wrong.');
const permanent = new RagmeshError('EVENT.INVALID', 'The event cannot be read.');

/** Attempts made in all, and the time between the first and the last with the given jitter, from 0 to 1. */
function attemptsAt(error: RagmeshError, jitter: number): { attempts: number; overMs: number } {
  let attempts = 1;
  let overMs = 0;
  for (; mayTryAgain(attempts, error, defaultRetryPolicy); attempts += 1) {
    overMs += retryDelayMs(attempts, error, defaultRetryPolicy, jitter);
  }
  return { attempts, overMs };
}

describe('attempts at an event', () => {
  it('outlast an outage of minutes', () => {
    expect(attemptsAt(outage, 0.5).overMs).toBeGreaterThan(3 * 60_000);
  });

  it('end soon where the event itself may be the cause', () => {
    expect(attemptsAt(unforeseen, 1)).toEqual({ attempts: 6, overMs: 15_500 });
  });

  it('come when the one that is overloaded asked for them, and are enough for hours of that', () => {
    const limited = new RagmeshError('EMBEDDING.UNAVAILABLE', 'Slow down.', { retryAfter: 600 });
    expect(retryDelayMs(1, limited, defaultRetryPolicy, 0)).toBe(600_000);
    expect(retryDelayMs(1, limited, defaultRetryPolicy, 1)).toBe(750_000); // not all at once
    expect(attemptsAt(limited, 0).overMs).toBeGreaterThan(2 * 3_600_000);
    const tooMany = new RagmeshError('QUOTA.REQUESTS_EXCEEDED', 'Too many requests.', { retryAfter: 20 });
    expect(attemptsAt(tooMany, 0)).toEqual({ attempts: 14, overMs: 13 * 20_000 });
  });

  it('wait ten minutes at most for who asks for more, and as long as ever for who asks for less', () => {
    const far = new RagmeshError('EMBEDDING.UNAVAILABLE', 'Slow down.', { retryAfter: 86_400 });
    expect(retryDelayMs(1, far, defaultRetryPolicy, 0)).toBe(10 * 60_000);
    const soon = new RagmeshError('EMBEDDING.UNAVAILABLE', 'Slow down.', { retryAfter: 1 });
    expect(retryDelayMs(9, soon, defaultRetryPolicy, 0.5)).toBe(31_000);
  });

  it('are not repeated when nothing can change', () => {
    expect(attemptsAt(permanent, 0.5).attempts).toBe(1);
  });
});
