import { describe, expect, it } from '@jest/globals';
import { HandledEvictions } from './handled-evictions.js';

describe('evictions that were handled', () => {
  it('are remembered until they were asked for', () => {
    const handled = new HandledEvictions();
    for (const time of ['9', '10', '11']) handled.add(time);
    handled.forgetUntil('10');
    expect(['9', '10', '11'].filter((time) => handled.has(time))).toEqual(['11']);
  });

  it('are remembered in a bounded number while Redis announces them and cannot be asked, the latest always', () => {
    const handled = new HandledEvictions();
    const times = Array.from({ length: 35_000 }, (_, at) => String(1_700_000_000_000_000 + at));
    for (const time of times) {
      handled.add(time);
      if (!handled.has(time)) throw new Error(`${time} was forgotten at once`);
    }
    expect(times.filter((time) => handled.has(time)).length).toBeLessThanOrEqual(10_000);
  });
});
