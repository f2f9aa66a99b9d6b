import { describe, expect, it } from '@jest/globals';
import type { Override } from './limits.js';
import { OverrideCache, type Overrides } from './override-cache.js';

const set = (requests: number): Overrides => new Map<string, Override>([['', { requests, tokens: null }]]);

describe('what is set for a tenant', () => {
  it('is read once for all who ask at the same time, and again when it was changed here', async () => {
    let reads = 0;
    const cache = new OverrideCache(async () => set(++reads));
    const found = await Promise.all(Array.from({ length: 20 }, () => cache.of('acme')));
    expect(new Set(found.map((overrides) => overrides.get('')!.requests))).toEqual(new Set([1]));
    cache.forget('acme');
    expect((await cache.of('acme')).get('')!.requests).toBe(2);
    expect(reads).toBe(2);
  });

  it('is what the configuration says while it cannot be read', async () => {
    const cache = new OverrideCache(() => Promise.reject(new Error('away')));
    expect((await cache.of('acme')).size).toBe(0);
  });

  it('is kept for each tenant apart', async () => {
    const cache = new OverrideCache(async (tenant) => set(tenant.length));
    expect([(await cache.of('a')).get('')!.requests, (await cache.of('abc')).get('')!.requests]).toEqual([1, 3]);
  });
});
