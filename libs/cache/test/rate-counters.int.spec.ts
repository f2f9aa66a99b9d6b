import { afterEach, describe, expect, it } from '@jest/globals';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { RateCounters } from '../src/index.js';
import { RedisFixture } from './redis-fixture.js';

const open: RateCounters[] = [];
/** How often counting moved between Redis and a process. */
let moves = 0;
const MINUTE = 60;
const near = { used: expect.any(Number), resetMs: expect.any(Number) };

async function counters(port?: number): Promise<RateCounters> {
  const redis = port === undefined ? {} : { redis: { url: `redis://127.0.0.1:${port}`, db: 1 } };
  const onLocal = (): unknown => (moves += 1);
  const made = await RateCounters.open({ service: 'spec', namespace: 'quota', onLocal, ...redis });
  open.push(made);
  if (port !== undefined) expect(await made.settle(20_000)).toBe(true);
  return made;
}
/** What comes of it when Redis answers all of it in time; else it is repeated, for another key. */
const undisturbed = <T>(work: (key: string) => Promise<T>) =>
  eventually('Redis answers in time', async () => {
    const before = moves;
    const result = await work(`tenant-${before}`);
    return moves === before && result;
  });

afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

describe('counters of one process', () => {
  it('count by key and window, from the first count to the end of the window', async () => {
    const one = await counters();
    expect(await one.peek('a', MINUTE)).toEqual({ used: 0, resetMs: 60_000 });
    await one.add('a', MINUTE, 2);
    expect(await one.add('a', MINUTE, 3)).toMatchObject({ ...near, used: 5 });
    expect(await one.peek('a', MINUTE)).toMatchObject({ used: 5 });
    expect((await one.peek('a', MINUTE)).resetMs).toBeLessThanOrEqual(60_000);
    expect(await one.peek('b', MINUTE)).toMatchObject({ used: 0 });
    expect(await one.peek('a', 86_400)).toMatchObject({ used: 0 });
    expect(one.isLocal).toBe(false);
  });

  it('begin anew when the window ends', async () => {
    const one = await counters();
    await one.add('a', 1, 7);
    await eventually('the window ended', async () => (await one.peek('a', 1)).used === 0);
    expect(await one.add('a', 1, 1)).toMatchObject({ used: 1 });
  });
});

describeWithServer('redis', 'counters with Redis', () => {
  const fixture = RedisFixture.forEachTest();

  it('count what all processes do, and leave nothing behind after the window', async () => {
    const [one, two] = [await counters(fixture.server.port), await counters(fixture.server.port)];
    const counts = await undisturbed(async (key) => {
      await one.add(key, MINUTE, 4);
      return [await two.add(key, MINUTE, 1), await one.peek(key, MINUTE)];
    });
    expect(counts).toMatchObject([{ used: 5 }, { used: 5 }]);
    const [key] = await fixture.admin.keys('quota:*');
    expect(await fixture.admin.pttl(key!)).toBeGreaterThan(0);
  });

  it('go on from what they knew while Redis is away, say so, and count together again when it is back', async () => {
    const one = await counters(fixture.proxy.port);
    const key = await undisturbed((fresh) => one.add(fresh, MINUTE, 4).then(() => fresh));
    await fixture.proxy.set({ refuse: true, reset: true });
    await eventually('it is noticed', async () => {
      await one.peek(key, MINUTE);
      return one.isLocal;
    });
    expect(await one.add(key, MINUTE, 1)).toMatchObject({ used: 5 });
    expect(await one.add(key, MINUTE, 1)).toMatchObject({ used: 6 });
    await fixture.proxy.set({});
    await eventually('it is back', async () => {
      await one.peek(key, MINUTE);
      return !one.isLocal;
    });
    expect(await undisturbed(() => one.peek(key, MINUTE))).toMatchObject({ used: 4 });
  });
});
