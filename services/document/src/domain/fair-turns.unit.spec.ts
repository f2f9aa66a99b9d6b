import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { FairTurns } from './fair-turns.js';

const staying = new AbortController().signal;

/** Work that ends when it is told to. */
class Jobs {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  job(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
    };
  }

  end(name: string): void {
    this.#ends.get(name)!();
  }
}

describe('turns of tenants', () => {
  it('are all at once for one that is alone', async () => {
    const turns = new FairTurns(() => false);
    const jobs = new Jobs();
    const all = Promise.all(['a', 'b'].map((name) => turns.run('acme', staying, jobs.job(name))));
    expect(jobs.begun).toEqual(['a', 'b']);
    jobs.begun.forEach((name) => jobs.end(name));
    expect(await all).toEqual(['a', 'b']);
  });

  it('come one after the other for one that is not, in their order, and none waits for another tenant', async () => {
    const turns = new FairTurns(() => true);
    const jobs = new Jobs();
    const names = ['a', 'b', 'c'];
    const all = Promise.all(names.map((name) => turns.run('acme', staying, jobs.job(name))));
    const other = turns.run('bolt', staying, jobs.job('x'));
    await eventually('two have begun', () => jobs.begun.length === 2);
    expect(jobs.begun).toEqual(['a', 'x']);
    jobs.end('x');
    expect(await other).toBe('x');
    for (const [at, name] of names.entries()) {
      await eventually(`${name} has begun`, () => jobs.begun.includes(name));
      expect(jobs.begun).toHaveLength(at + 2);
      jobs.end(name);
    }
    expect(await all).toEqual(names);
  });

  it.each([
    ['three times as long as one took', 20, 60],
    ['for a moment at most, however long one took', 1_900, 250],
    ['not at all once the next one has waited long', 2_100, 0],
  ])('are followed by a rest, %s', async (_, tookMs, restMs) => {
    let now = 0;
    const rests: number[] = [];
    const rest = async (ms: number, signal?: AbortSignal) =>
      void (signal ? await once(signal, 'abort') : rests.push(ms));
    const turns = new FairTurns(() => true, { now: () => now, rest });
    const jobs = new Jobs();
    const both = Promise.all(['a', 'b'].map((name) => turns.run('acme', staying, jobs.job(name))));
    await eventually('a has begun', () => jobs.begun.includes('a'));
    now = tookMs;
    jobs.end('a');
    await eventually('b has begun', () => jobs.begun.includes('b'));
    expect(rests).toEqual([restMs]);
    jobs.end('b');
    await both;
  });

  it('pass on from one that waits for something else', async () => {
    const turns = new FairTurns(() => true);
    const jobs = new Jobs();
    const stuck = turns.run('acme', staying, jobs.job('stuck'));
    const next = turns.run('acme', staying, jobs.job('next'));
    await eventually('next has begun', () => jobs.begun.includes('next'));
    jobs.end('next');
    expect(await next).toBe('next');
    jobs.end('stuck');
    expect(await stuck).toBe('stuck');
  });

  it('pass over who has left, and go on after who failed', async () => {
    const turns = new FairTurns(() => true);
    const jobs = new Jobs();
    const first = turns.run('acme', staying, jobs.job('a'));
    const leaving = new AbortController();
    const second = turns.run('acme', leaving.signal, jobs.job('b'));
    const third = turns.run('acme', staying, () => Promise.reject(new Error('refused')));
    const fourth = turns.run('acme', staying, jobs.job('d'));
    leaving.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    await eventually('a has begun', () => jobs.begun.includes('a'));
    jobs.end('a');
    expect(await first).toBe('a');
    await expect(third).rejects.toThrow('refused');
    await eventually('d has begun', () => jobs.begun.includes('d'));
    jobs.end('d');
    expect(await fourth).toBe('d');
    expect(jobs.begun).toEqual(['a', 'd']);
  });
});
