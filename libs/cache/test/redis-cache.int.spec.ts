import { expect, it } from '@jest/globals';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { RedisFixture, ask, stored, usable } from './redis-fixture.js';

/** For a value to be read while it is evicted, and more come by far where nothing else is to be done. */
const ENOUGH_EVICTIONS = 20;

describeWithServer('redis', 'the cache with Redis', () => {
  const fixture = RedisFixture.forEachTest();

  it('shares values between processes, with their tags and a time to live', async () => {
    const one = await fixture.copy();
    await usable(one);
    await stored(one, 'k', 'shared');
    expect(await ask(await fixture.reader('k'), 'k')).toEqual({ value: 'shared', from: 'memory' });
    expect(await fixture.admin.pttl('spec:k')).toBeGreaterThan(50_000);
    expect(await fixture.admin.pttl('spec:k')).toBeLessThanOrEqual(60_000);
  });

  it('shares the knowledge that there is nothing', async () => {
    const one = await fixture.copy();
    await usable(one);
    await stored(one, 'k', null);
    expect(await ask(await fixture.reader('k'), 'k')).toEqual({ value: null, from: 'memory' });
  });

  it('evicts by tag in Redis and in the memory of the other process', async () => {
    const one = await fixture.copy();
    await usable(one);
    await stored(one, 'hit', 'old', ['doc:1']);
    await stored(one, 'miss', 'kept', ['doc:2']);
    const two = await fixture.reader('hit', 'miss');
    await one.cache.evict(['doc:1']);
    await eventually('the other heard of it', async () => (await ask(two, 'hit', 'new', ['doc:1'])).value === 'new');
    expect((await ask(two, 'miss')).value).toBe('kept');
    expect((await ask(await fixture.reader('miss'), 'miss')).value).toBe('kept');
  });

  it('leaves nothing in Redis of what is evicted by a tag that erases, whoever evicts it', async () => {
    const one = await fixture.copy(undefined, (tag) => tag === 'doc:1');
    const two = await fixture.copy();
    await usable(one);
    await usable(two);
    await stored(one, 'alone', 'secret', ['doc:1']);
    await stored(one, 'among', 'secret', ['doc:2', 'doc:1']);
    await stored(one, 'other', 'kept', ['doc:2']);
    const index = await fixture.admin.pttl('spec#of:doc:1');
    expect(index).toBeGreaterThan(50_000); // as long as its entries, no longer
    expect(index).toBeLessThanOrEqual(60_000);
    await two.cache.evict(['doc:1']);
    await eventually('Redis has heard of it', async () => (await fixture.admin.exists('spec#tag:doc:1')) === 0);
    expect(await fixture.admin.exists('spec:alone', 'spec:among', 'spec#of:doc:1')).toBe(0);
    expect((await ask(await fixture.reader('other'), 'other')).value).toBe('kept');
  });

  it('does not store what another process computed before an eviction', async () => {
    const [one, two] = [await fixture.copy(), await fixture.copy()];
    await usable(one);
    await usable(two);
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const slow = one.cache.getOrCompute('spec:k', async () => {
      began.resolve();
      await gate.promise;
      return { value: 'old', tags: ['doc:1'] };
    });
    await began.promise;
    await two.cache.evict(['doc:1']);
    gate.resolve();
    await slow;
    await one.redis.settle();
    expect((await ask(two, 'k', 'new')).value).toBe('new');
    await two.redis.settle();
    expect((await fixture.fromElsewhere('k')).value).toBe('new');
  });

  it('clears every process', async () => {
    const [one, two] = [await fixture.copy(), await fixture.copy()];
    await usable(one);
    await usable(two);
    await stored(one, 'k', 'old');
    await ask(two, 'k');
    await two.cache.clear();
    expect((await ask(two, 'k', 'new')).value).toBe('new');
    expect((await ask(await fixture.reader('k'), 'k')).value).toBe('new');
    await eventually('the other heard of it', async () => (await ask(one, 'k', 'new')).value === 'new');
  });

  it('never serves a value older than the last eviction, whoever computes and evicts', async () => {
    const copies = [await fixture.copy(), await fixture.copy(fixture.proxy.port), await fixture.copy()];
    for (const one of copies) await usable(one);
    let truth = 0;
    let stale = 0;
    const end = performance.now() + 3_000;
    const isOver = (): boolean => performance.now() >= end && truth > ENOUGH_EVICTIONS;
    const readers = copies.map(async ({ cache }) => {
      while (!isOver()) {
        const floor = truth;
        const compute = async () => {
          const seen = truth;
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
          return { value: String(seen), tags: ['doc:1'] };
        };
        const { value } = await cache.getOrCompute(`spec:k${Math.floor(Math.random() * 3)}`, compute);
        // Other processes hear of it a moment later; the evicting one (the first) must never be behind.
        if (cache === copies[0]!.cache && Number(value) < floor) stale += 1;
        await new Promise(setImmediate);
      }
    });
    const writer = (async () => {
      while (!isOver()) {
        truth += 1;
        await copies[0]!.cache.evict(['doc:1']);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      }
    })();
    await Promise.all([...readers, writer]);
    expect(stale).toBe(0);
    for (const one of copies) {
      const current = async () => Number((await ask(one, 'k0', String(truth))).value) === truth;
      await eventually('every process has the last value', current);
    }
  });
});
