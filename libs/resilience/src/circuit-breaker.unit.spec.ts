import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { eventually } from '@ragmesh/testing';
import { circuitBreaker, type CircuitBreaker } from './circuit-breaker.js';

const away = (): RagmeshError => new RagmeshError('STORAGE.UNAVAILABLE', 'away');
const wrong = (): RagmeshError => new RagmeshError('REQUEST.INVALID', 'wrong');

describe('circuitBreaker', () => {
  let breaker: CircuitBreaker;
  afterEach(() => breaker.shutdown());

  it('refuses calls at once after repeated failures and closes when the dependency is back', async () => {
    breaker = circuitBreaker('store', { minimumCalls: 3, resetMs: 30 });
    const states: string[] = [];
    breaker.onStateChange((state) => states.push(state));
    for (let call = 0; call < 3; call += 1) await breaker.run(() => Promise.reject(away())).catch(() => undefined);
    expect(breaker.state).toBe('open');
    await expect(breaker.run(async () => 1)).rejects.toMatchObject({
      code: 'DEPENDENCY.UNAVAILABLE',
      details: { dependency: 'store', retryAfter: 1 },
    });
    await eventually('it may be tried again', () => breaker.state !== 'open');
    await expect(breaker.run(async () => 1)).resolves.toBe(1);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('says how long the dependency asked to be left alone, until it answers again', async () => {
    breaker = circuitBreaker('provider', { minimumCalls: 3, resetMs: 30 });
    const busy = new RagmeshError('EMBEDDING.UNAVAILABLE', 'busy', { retryAfter: 600 });
    const adviceWhenOpen = async (error: RagmeshError): Promise<unknown> => {
      const fail = () => breaker.run(() => Promise.reject(error)).catch(() => undefined);
      await eventually('it opens', async () => (await fail(), breaker.state === 'open'));
      const refusal: unknown = await breaker.run(async () => 1).catch((refused: unknown) => refused);
      return (refusal as RagmeshError).details.retryAfter;
    };
    expect(await adviceWhenOpen(busy)).toBe(600);
    await eventually('it may be tried again', () => breaker.state !== 'open');
    await breaker.run(async () => 1);
    expect(await adviceWhenOpen(away())).toBe(1);
  });

  describe('whose first try after a failure takes long', () => {
    const states: string[] = [];
    const refusalOf = (call: () => Promise<unknown>): Promise<unknown> =>
      breaker.run(call).then(
        () => undefined,
        (error: RagmeshError) => error.code,
      );
    beforeEach(async () => {
      breaker = circuitBreaker('store', { minimumCalls: 3, resetMs: 60, timeoutMs: Infinity });
      states.length = 0;
      for (let call = 0; call < 3; call += 1) await refusalOf(() => Promise.reject(away()));
      await eventually('it may be tried again', () => breaker.state === 'half-open');
      breaker.onStateChange((state) => states.push(state));
    });
    const beginSlowTry = () => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      return { ended: refusalOf(() => promise), succeed: resolve, fail: reject };
    };
    /** Calls until one is let through. @returns how it ended. */
    const nextTry = async (end: () => Promise<unknown>): Promise<unknown> => {
      let ended: unknown;
      await eventually('another one tries', async () => {
        let isLetThrough = false;
        ended = await refusalOf(() => {
          isLetThrough = true;
          return end();
        });
        return isLetThrough;
      });
      return ended;
    };

    it('tries another one after as long as it was open, and closes when that succeeds', async () => {
      const slow = beginSlowTry();
      expect(await refusalOf(async () => 1)).toBe('DEPENDENCY.UNAVAILABLE');
      expect(breaker.state).toBe('half-open');
      const { calls, refused } = breaker.recent;
      expect(await nextTry(async () => 1)).toBeUndefined();
      expect(states).toEqual(['closed']);
      expect(breaker.recent.calls - breaker.recent.refused).toBe(calls - refused + 1);
      for (let call = 0; call < 3; call += 1) expect(await refusalOf(async () => 1)).toBeUndefined();
      slow.fail(away());
      expect(await slow.ended).toBe('STORAGE.UNAVAILABLE');
      expect(breaker.state).toBe('closed');
    });

    it('opens again when the other one fails, and closes when the dependency is back', async () => {
      beginSlowTry();
      const { failures } = breaker.recent;
      expect(await nextTry(() => Promise.reject(away()))).toBe('STORAGE.UNAVAILABLE');
      expect(breaker.recent.failures).toBe(failures + 1);
      expect(states).toEqual(['open']);
      expect(await refusalOf(async () => 1)).toBe('DEPENDENCY.UNAVAILABLE');
      expect(await nextTry(async () => 1)).toBeUndefined();
      expect(states).toEqual(['open', 'half-open', 'closed']);
    });

    it('lets one more at a time try', async () => {
      const first = beginSlowTry();
      await eventually('another one tries', () => {
        const { refused } = breaker.recent;
        beginSlowTry();
        return breaker.recent.refused === refused;
      });
      expect(await refusalOf(async () => 1)).toBe('DEPENDENCY.UNAVAILABLE');
      first.succeed();
      expect(await first.ended).toBeUndefined();
      expect(states).toEqual(['closed']);
    });

    it("closes by what is the caller's fault: it is an answer", async () => {
      beginSlowTry();
      expect(await nextTry(() => Promise.reject(wrong()))).toBe('REQUEST.INVALID');
      expect(states).toEqual(['closed']);
    });
  });

  it("does not count the caller's own faults", async () => {
    breaker = circuitBreaker('store', { minimumCalls: 1 });
    for (let call = 0; call < 5; call += 1)
      await expect(breaker.run(() => Promise.reject(wrong()))).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    expect(breaker.state).toBe('closed');
  });

  it('aborts the work of a call that takes too long', async () => {
    breaker = circuitBreaker('model', { timeoutMs: 20 });
    let seen: AbortSignal | undefined;
    const endless = (signal: AbortSignal): Promise<never> => {
      seen = signal;
      return new Promise(() => undefined);
    };
    await expect(breaker.run(endless)).rejects.toMatchObject({ code: 'REQUEST.TIMEOUT' });
    expect(seen?.aborted).toBe(true);
    const caller = new AbortController();
    const running = breaker.run(endless, caller.signal);
    caller.abort();
    await expect(running).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
  });
});
