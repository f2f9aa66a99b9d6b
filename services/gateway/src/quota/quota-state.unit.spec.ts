import { describe, expect, it } from '@jest/globals';
import { isExceeded, isUsedUp, rateLimitHeaders, secondsToReset, type QuotaState } from './quota-state.js';

const requests: QuotaState = { scope: 'key', unit: 'requests', limit: 100, used: 40, resetMs: 29_001 };
const tokens: QuotaState = { scope: 'tenant', unit: 'tokens', limit: 5_000, used: 6_200, resetMs: 40_000_000 };

describe('the headers of quotas', () => {
  it('name each quota, its window, what remains, never less than nothing, and when it is given anew', () => {
    expect(rateLimitHeaders([requests, tokens])).toEqual({
      'ratelimit-policy': '"key-requests";q=100;w=60, "tenant-tokens";q=5000;w=86400',
      ratelimit: '"key-requests";r=60;t=30, "tenant-tokens";r=0;t=40000',
    });
  });

  it('are left out where nothing is limited', () => {
    expect(rateLimitHeaders([])).toEqual({});
  });
});

describe('a quota', () => {
  it('permits its last request, and no work once it is used up', () => {
    expect([99, 100, 101].map((used) => isExceeded({ ...requests, used }))).toEqual([false, false, true]);
    expect([99, 100, 101].map((used) => isUsedUp({ ...requests, used }))).toEqual([false, true, true]);
  });

  it('never asks to wait for no time', () => {
    expect(secondsToReset({ ...requests, resetMs: 0 })).toBe(1);
  });
});
