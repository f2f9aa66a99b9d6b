import { describe, expect, it } from '@jest/globals';
import { ActiveTenants } from './active-tenants.js';

describe('active tenants', () => {
  it('are those whose ingestions began within the last minute', () => {
    let now = 0;
    const active = new ActiveTenants(() => now);
    expect(active.hasOthersThan('a')).toBe(false);
    active.note('a');
    expect([active.hasOthersThan('a'), active.hasOthersThan('b')]).toEqual([false, true]);
    now = 40_000;
    active.note('b');
    now = 50_000;
    active.note('a');
    expect([active.hasOthersThan('a'), active.hasOthersThan('b')]).toEqual([true, true]);
    now = 100_001;
    expect([active.hasOthersThan('a'), active.hasOthersThan('b')]).toEqual([false, true]);
    now = 110_001;
    expect(active.hasOthersThan('b')).toBe(false);
  });
});
