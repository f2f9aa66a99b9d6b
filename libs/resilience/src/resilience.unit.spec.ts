import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import {
  Deadline,
  RetryBudget,
  breakersOf,
  circuitBreaker,
  nextPause,
  retryWithJitter,
  streamThrough,
  watchBreakers,
} from './index.js';

const away = (retryAfter?: number): RagmeshError =>
  new RagmeshError('STORAGE.UNAVAILABLE', 'away', retryAfter === undefined ? {} : { retryAfter });
const wrong = (): RagmeshError => new RagmeshError('REQUEST.INVALID', 'wrong');

describe('Deadline', () => {
  it('aborts its signal with a timeout when the time is up', async () => {
    const deadline = Deadline.in(20);
    deadline.throwIfExpired();
    const signal = deadline.signal();
    const keepAlive = setTimeout(() => undefined, 1_000);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    clearTimeout(keepAlive);
    expect(signal.reason).toMatchObject({ code: 'REQUEST.TIMEOUT' });
    expect(() => Deadline.in(0).throwIfExpired()).toThrow('deadline');
  });

  it('ends early with its caller and never lengthens for a step', () => {
    const caller = new AbortController();
    const deadline = Deadline.in(1_000, caller.signal);
    expect(deadline.within(5_000).remainingMs).toBeLessThanOrEqual(1_000);
    expect(deadline.within(10).remainingMs).toBeLessThanOrEqual(10);
    const signal = deadline.signal();
    caller.abort();
    expect(signal.aborted).toBe(true);
    expect(() => deadline.throwIfExpired()).toThrow('went away');
  });
});

describe('retryWithJitter', () => {
  const failing = (error: () => Error, times: number) => {
    let calls = 0;
    const attempt = async (): Promise<number> => {
      calls += 1;
      if (calls <= times) throw error();
      return calls;
    };
    return { attempt, calls: () => calls };
  };

  it('repeats transient failures and gives the result', async () => {
    await expect(retryWithJitter(failing(away, 2).attempt, { baseMs: 1 })).resolves.toBe(3);
  });

  it('stops after the last attempt with the last error', async () => {
    const { attempt, calls } = failing(away, 9);
    await expect(retryWithJitter(attempt, { attempts: 4, baseMs: 1, capMs: 2 })).rejects.toMatchObject({
      code: 'STORAGE.UNAVAILABLE',
    });
    expect(calls()).toBe(4);
  });

  it.each([
    ['a permanent error', wrong],
    ['an unknown error', () => new TypeError('bug')],
  ])('never repeats %s', async (_, error) => {
    const { attempt, calls } = failing(error, 9);
    await expect(retryWithJitter(attempt, { baseMs: 1 })).rejects.toBeInstanceOf(Error);
    expect(calls()).toBe(1);
  });

  it('waits as long as the server asks, unless that is too long', async () => {
    const started = performance.now();
    await retryWithJitter(failing(() => away(0.05), 1).attempt, { baseMs: 1 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(48);
    const { attempt, calls } = failing(() => away(60), 9);
    await expect(retryWithJitter(attempt)).rejects.toBeInstanceOf(RagmeshError);
    expect(calls()).toBe(1);
  });

  it('stops waiting when the caller goes away', async () => {
    const caller = new AbortController();
    const retrying = retryWithJitter(failing(away, 9).attempt, {
      baseMs: 10_000,
      capMs: 20_000,
      signal: caller.signal,
    });
    caller.abort();
    await expect(retrying).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
  });

  it('spends no more retries than the budget holds', async () => {
    const budget = new RetryBudget(0, 2);
    const { attempt, calls } = failing(away, 99);
    for (let call = 0; call < 5; call += 1)
      await retryWithJitter(attempt, { baseMs: 1, budget }).catch(() => undefined);
    expect(calls()).toBe(5 + 2);
  });

  it('spreads pauses between the base and three times the last one', () => {
    expect(nextPause(100, 50, 1_000, 0)).toBe(50);
    expect(nextPause(100, 50, 1_000, 1)).toBe(300);
    expect(nextPause(900, 50, 1_000, 1)).toBe(1_000);
  });
});

describe('the registry of breakers', () => {
  const failing = (): Promise<never> => Promise.reject(new RagmeshError('DEPENDENCY.UNAVAILABLE', 'down'));

  it('tells who watches a service of its breakers, those there and those to come, until they are shut down', async () => {
    const seen: string[] = [];
    const early = circuitBreaker('early', { service: 'registry-spec' });
    const stop = watchBreakers('registry-spec', ({ name, state }) => seen.push(`${name} ${state}`));
    const late = circuitBreaker('late', { service: 'registry-spec', minimumCalls: 2 });
    const other = circuitBreaker('other', { service: 'another-service' });
    for (let call = 0; call < 2; call += 1) await late.run(failing).catch(() => undefined);
    expect(seen).toEqual(['early closed', 'late closed', 'late open']);
    await expect(late.run(failing)).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(breakersOf('registry-spec').map(({ name, state }) => [name, state])).toEqual([
      ['early', 'closed'],
      ['late', 'open'],
    ]);
    expect(late.recent).toEqual({ calls: 3, failures: 2, refused: 1 });
    stop();
    for (const breaker of [early, late, other]) breaker.shutdown();
    expect(breakersOf('registry-spec')).toEqual([]);
  });

  it('lets a breaker say itself what speaks against its dependency', async () => {
    const breaker = circuitBreaker('choosy', { minimumCalls: 1, isFailure: () => false, timeoutMs: Infinity });
    for (let call = 0; call < 5; call += 1) await breaker.run(failing).catch(() => undefined);
    expect(breaker.state).toBe('closed');
    breaker.shutdown();
  });
});

describe('a stream through a breaker', () => {
  const failing = async function* (): AsyncGenerator<number> {
    await Promise.reject(new RagmeshError('DEPENDENCY.UNAVAILABLE', 'down'));
    yield 0;
  };

  it('gives every item, and counts once', async () => {
    const breaker = circuitBreaker('stream');
    const items: number[] = [];
    for await (const item of streamThrough(breaker, async function* () {
      yield* [1, 2, 3];
    }))
      items.push(item);
    expect(items).toEqual([1, 2, 3]);
    expect(breaker.recent).toEqual({ calls: 1, failures: 0, refused: 0 });
    breaker.shutdown();
  });

  it('opens it when streams give no first item, and is then refused without being opened', async () => {
    const breaker = circuitBreaker('stream', { minimumCalls: 3 });
    for (let call = 0; call < 3; call += 1)
      await expect(streamThrough(breaker, failing).next()).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    let opened = false;
    const refused = streamThrough(breaker, () => {
      opened = true;
      return failing();
    });
    await expect(refused.next()).rejects.toMatchObject({ details: { dependency: 'stream' } });
    expect(opened).toBe(false);
    breaker.shutdown();
  });

  it('ends its source when the reader stops', async () => {
    const breaker = circuitBreaker('stream');
    let ended: AbortSignal | undefined;
    const endless = streamThrough(breaker, async function* (signal) {
      ended = signal;
      for (let item = 0; ; item += 1) yield item;
    });
    for await (const item of endless) if (item === 2) break;
    expect(ended?.aborted).toBe(true);
    breaker.shutdown();
  });
});
