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
    overMs += retryDelayMs(attempts, defaultRetryPolicy, jitter);
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

  it('are not repeated when nothing can change', () => {
    expect(attemptsAt(permanent, 0.5).attempts).toBe(1);
  });
});
