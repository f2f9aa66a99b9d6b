import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { SingleFlight } from './single-flight.js';

const aborted = (signal: AbortSignal) => new Promise((resolve) => signal.addEventListener('abort', resolve));

describe('single flight', () => {
  it('computes once for a thousand equal requests', async () => {
    const flights = new SingleFlight<number>();
    let computed = 0;
    const gate = Promise.withResolvers<void>();
    const ask = () =>
      flights.run(['k'], async () => {
        computed += 1;
        await gate.promise;
        return new Map([['k', 7]]);
      });
    const answers = Array.from({ length: 1000 }, ask);
    gate.resolve();
    expect(new Set((await Promise.all(answers)).map((map) => map.get('k')))).toEqual(new Set([7]));
    expect(computed).toBe(1);
  });

  it('computes only what nobody else is computing', async () => {
    const flights = new SingleFlight<string>();
    const asked: string[][] = [];
    const upper = async (keys: readonly string[]) => {
      asked.push([...keys]);
      await Promise.resolve();
      return new Map(keys.map((key) => [key, key.toUpperCase()]));
    };
    const [first, second] = await Promise.all([flights.run(['a', 'b', 'a'], upper), flights.run(['b', 'c'], upper)]);
    expect(Object.fromEntries(first)).toEqual({ a: 'A', b: 'B' });
    expect(Object.fromEntries(second)).toMatchObject({ b: 'B', c: 'C' });
    expect(asked).toEqual([['a', 'b'], ['c']]);
  });

  it('tells everyone who waits of a failure and forgets it', async () => {
    const flights = new SingleFlight<number>();
    const failing = () => flights.run(['k'], () => Promise.reject(new Error('broken')));
    const outcomes = await Promise.allSettled([failing(), failing()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await flights.run(['k'], async () => new Map([['k', 1]]))).get('k')).toBe(1);
  });

  it('lets one caller go without cancelling the others', async () => {
    const flights = new SingleFlight<number>();
    const gate = Promise.withResolvers<void>();
    const seen: AbortSignal[] = [];
    const compute = async (_keys: readonly string[], signal: AbortSignal) => {
      seen.push(signal);
      await gate.promise;
      return new Map([['k', 3]]);
    };
    const leaving = new AbortController();
    const left = flights.run(['k'], compute, leaving.signal);
    const stays = flights.run(['k'], compute);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(seen.map(({ aborted }) => aborted)).toEqual([false]);
    gate.resolve();
    expect((await stays).get('k')).toBe(3);
  });

  it('aborts the work when the last one goes, and does not hand it to the next', async () => {
    const flights = new SingleFlight<number>();
    const stopped = Promise.withResolvers<void>();
    const leaving = new AbortController();
    const left = flights.run(
      ['k'],
      async (_keys, signal) => {
        await aborted(signal);
        stopped.resolve();
        throw new Error('stopped');
      },
      leaving.signal,
    );
    await new Promise(setImmediate);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    await stopped.promise;
    expect((await flights.run(['k'], async () => new Map([['k', 9]]))).get('k')).toBe(9);
  });

  it('does not make those who joined pay for the deadline of the first', async () => {
    const flights = new SingleFlight<number>();
    const timeout = new RagmeshError('REQUEST.TIMEOUT', 'The deadline of the request has passed.');
    const first = flights.run(['k'], () => Promise.reject(timeout));
    const joined = Array.from({ length: 5 }, () => flights.run(['k'], async () => new Map([['k', 4]])));
    await expect(first).rejects.toBe(timeout);
    for (const answer of joined) expect((await answer).get('k')).toBe(4);
  });

  it('does not make those who joined pay for what the first wanted besides', async () => {
    const flights = new SingleFlight<string>();
    const gate = Promise.withResolvers<void>();
    const asked: string[][] = [];
    const refusing = async (keys: readonly string[]) => {
      asked.push([...keys]);
      await gate.promise;
      if (keys.includes('poison')) throw new RagmeshError('EMBEDDING.TEXT_REFUSED', 'Not this one.');
      return new Map(keys.map((key) => [key, key.toUpperCase()]));
    };
    const poisoned = flights.run(['poison', 'boilerplate'], refusing);
    const joined = ['fine', 'other'].map((own) => flights.run(['boilerplate', own], refusing));
    gate.resolve();
    await expect(poisoned).rejects.toMatchObject({ code: 'EMBEDDING.TEXT_REFUSED' });
    const [first, second] = await Promise.all(joined);
    expect(Object.fromEntries(first!)).toEqual({ boilerplate: 'BOILERPLATE', fine: 'FINE' });
    expect(Object.fromEntries(second!)).toEqual({ boilerplate: 'BOILERPLATE', other: 'OTHER' });
    expect(asked).toEqual([['poison', 'boilerplate'], ['fine'], ['other'], ['boilerplate']]);
  });

  it('asks once more at most, and by itself, where others want more again', async () => {
    const flights = new SingleFlight<string>();
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const failing = (gate: PromiseWithResolvers<void>, reason: string) => async () => {
      await gate.promise;
      throw new Error(reason);
    };
    const first = flights.run(['k', 'first'], failing(gates[0]!, 'first')).catch(String);
    let computed = 0;
    const own = () => {
      computed += 1;
      return Promise.reject(new Error('own'));
    };
    const joined = flights.run(['k'], own);
    flights.detach();
    const second = flights.run(['k', 'second'], failing(gates[1]!, 'second')).catch(String);
    gates[0]!.resolve();
    await expect(joined).rejects.toThrow('own');
    gates[1]!.resolve();
    expect([computed, await first, await second]).toEqual([1, 'Error: first', 'Error: second']);
  });

  it('tells who wants all that failed of it', async () => {
    const flights = new SingleFlight<string>();
    let computed = 0;
    const failing = () => {
      computed += 1;
      return Promise.reject(new Error('broken'));
    };
    const outcomes = await Promise.allSettled([
      flights.run(['a'], failing),
      flights.run(['a', 'b'], async () => new Map([['b', 'B']])),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(computed).toBe(1);
  });

  it('begins anew for those who ask after a detachment', async () => {
    const flights = new SingleFlight<string>();
    const gate = Promise.withResolvers<void>();
    const early = flights.run(['k'], async () => {
      await gate.promise;
      return new Map([['k', 'old']]);
    });
    flights.detach();
    const late = flights.run(['k'], async () => new Map([['k', 'new']]));
    expect((await late).get('k')).toBe('new');
    gate.resolve();
    expect((await early).get('k')).toBe('old');
  });
});
