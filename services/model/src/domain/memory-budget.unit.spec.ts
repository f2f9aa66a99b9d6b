import { describe, expect, it } from '@jest/globals';
import { decideMemory } from './memory-budget.js';

const resident = (model: string, bytes: number, idleMs: number, pinned = false) => ({ model, bytes, idleMs, pinned });

describe('the memory budget', () => {
  it('gives up what was used least recently, and no more than it must', () => {
    const residents = [resident('new', 40, 10), resident('old', 40, 900), resident('older', 10, 1000)];
    expect(decideMemory(100, residents, 10)).toEqual({ unload: [], fits: true });
    expect(decideMemory(100, residents, 20)).toEqual({ unload: ['older'], fits: true });
    expect(decideMemory(100, residents, 60)).toEqual({ unload: ['older', 'old'], fits: true });
  });

  it('keeps what is pinned or at work', () => {
    const residents = [resident('pinned', 50, 1000, true), resident('busy', 30, 0), resident('idle', 20, 1)];
    expect(decideMemory(100, residents, 20)).toEqual({ unload: ['idle'], fits: true });
  });

  it('gives nothing up for what would not fit even then', () => {
    const residents = [resident('pinned', 50, 1000, true), resident('idle', 20, 1)];
    expect(decideMemory(100, residents, 51)).toEqual({ unload: [], fits: false });
  });

  it('shrinks to a smaller budget as far as it can', () => {
    const residents = [resident('pinned', 50, 1000, true), resident('idle', 20, 1)];
    expect(decideMemory(40, residents)).toEqual({ unload: ['idle'], fits: false });
  });
});
