import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { Deadline } from './deadline.js';

const DEADLINES = 300;

describe('a deadline', () => {
  it('has expired for whoever is told that its time is up, however the clocks count', async () => {
    const found = await Promise.all(
      Array.from({ length: DEADLINES }, async (_, at) => {
        const deadline = Deadline.in(5 + at / 7);
        const signal = deadline.signal();
        const alive = setTimeout(() => undefined, 60_000); // its own timer does not keep the process
        await once(signal, 'abort');
        clearTimeout(alive);
        return deadline.hasExpired;
      }),
    );
    expect(found.filter((hasExpired) => !hasExpired)).toEqual([]);
  });
});
