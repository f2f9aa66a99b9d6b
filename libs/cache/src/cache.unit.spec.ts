import { describe, expect, it } from '@jest/globals';
import { renderMetrics } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { Cache, type Computed } from './cache.js';
import { cacheKey, hashOf } from './cache-key.js';
import { float32Codec, jsonCodec } from './codec.js';

const open = (
  options: { ttlSeconds?: number; negativeTtlSeconds?: number; maxEntries?: number; maxBytes?: number } = {},
) =>
  new Cache<string>({
    name: 'spec',
    codec: jsonCodec('1'),
    sizeOf: ({ length }) => length,
    ttlSeconds: 60,
    maxEntries: 100,
    ...options,
  });

/** Answers one word after another, and counts. */
function speaker(...words: (string | null)[]) {
  const said: string[] = [];
  return {
    said,
    compute: async (key: string): Promise<Computed<string>> => {
      said.push(key);
      return { value: words[said.length - 1] ?? null, tags: ['doc:1', 'collection:a'] };
    },
  };
}

describe('the cache in memory', () => {
  it('computes once and remembers', async () => {
    const cache = open();
    const { compute, said } = speaker('first', 'second');
    expect(await cache.getOrCompute('k', compute)).toEqual({ value: 'first', from: 'computed' });
    expect(await cache.getOrCompute('k', compute)).toEqual({ value: 'first', from: 'memory' });
    expect(said).toHaveLength(1);
  });

  it('tells what is known without computing it, and no longer than it may be served', async () => {
    const cache = open();
    expect(await cache.known('k')).toBeUndefined();
    await cache.getOrCompute('k', async () => ({ value: 'said', tags: ['doc:1'] }));
    await cache.getOrCompute('nothing', async () => ({ value: null }));
    expect(await cache.known('k')).toEqual({ value: 'said', from: 'memory' });
    expect(await cache.known('nothing')).toEqual({ value: null, from: 'memory' });
    await cache.evict(['doc:1']);
    expect(await cache.known('k')).toBeUndefined();
  });

  it('evicts exactly what was made from a tag', async () => {
    const cache = open();
    const made =
      (value: string, ...tags: string[]) =>
      async () => ({ value, tags });
    await cache.getOrCompute('one', made('1', 'doc:1', 'doc:2'));
    await cache.getOrCompute('two', made('2', 'doc:2'));
    await cache.getOrCompute('three', made('3', 'doc:3'));
    await cache.evict(['doc:1']);
    const from = async (key: string) => (await cache.getOrCompute(key, made('new'))).from;
    expect([await from('one'), await from('two'), await from('three')]).toEqual(['computed', 'memory', 'memory']);
  });

  it('never stores what was computed before an eviction, and does not give it to who asks after', async () => {
    const cache = open();
    const gate = Promise.withResolvers<void>();
    const slow = cache.getOrCompute('k', async () => {
      await gate.promise;
      return { value: 'old', tags: ['doc:1'] };
    });
    await new Promise(setImmediate);
    await cache.evict(['doc:1']);
    const after = await cache.getOrCompute('k', async () => ({ value: 'new', tags: ['doc:1'] }));
    expect(after.value).toBe('new');
    gate.resolve();
    expect((await slow).value).toBe('old'); // asked before, answered as of then
    expect(await cache.getOrCompute('k', speaker('x').compute)).toEqual({ value: 'new', from: 'memory' });
  });

  it('keeps nothing that was computed shortly after an eviction, when told to', async () => {
    const options = { name: 'spec', codec: jsonCodec<string>('1'), ttlSeconds: 60, maxEntries: 10, settleMs: 1_000 };
    const cache = new Cache<string>(options);
    await cache.evict(['doc:1']);
    const { compute } = speaker('too early', 'settled');
    expect((await cache.getOrCompute('k', compute)).value).toBe('too early');
    expect(await cache.getOrCompute('k', compute)).toEqual({ value: 'settled', from: 'computed' });
    const settled = async () => cache.getOrCompute('k', async () => ({ value: 'settled' }));
    await eventually('it is kept', async () => (await settled()).from === 'memory');
  });

  it('keeps the knowledge that there is nothing, for a shorter time', async () => {
    const cache = open({ negativeTtlSeconds: 1 });
    const { compute, said } = speaker(null, 'something');
    await cache.getOrCompute('k', compute);
    expect(await cache.getOrCompute('k', compute)).toEqual({ value: null, from: 'memory' });
    const found = async () => (await cache.getOrCompute('k', compute)).value === 'something';
    await eventually('there is something', found);
    expect(said).toHaveLength(2);
  });

  it('does not keep failures, nor what must not be kept', async () => {
    const cache = open();
    await expect(cache.getOrCompute('k', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await cache.getOrCompute('k', async () => ({ value: 'degraded', storable: false }));
    expect(await cache.getOrCompute('k', speaker('whole').compute)).toEqual({ value: 'whole', from: 'computed' });
  });

  it('is off with a time to live of 0', async () => {
    const cache = open({ ttlSeconds: 0 });
    const { compute } = speaker('first', 'second');
    expect((await cache.getOrCompute('k', compute)).value).toBe('first');
    expect((await cache.getOrCompute('k', compute)).value).toBe('second');
  });

  it('holds to its limits of entries and bytes', async () => {
    const few = open({ maxEntries: 2 });
    for (const key of ['a', 'b', 'c']) await few.getOrCompute(key, async () => ({ value: key, tags: [key] }));
    expect((await few.getOrCompute('a', speaker('x').compute)).from).toBe('computed');
    const small = open({ maxBytes: 100 });
    await small.getOrCompute('big', async () => ({ value: 'x'.repeat(200) }));
    expect((await small.getOrCompute('big', speaker('x').compute)).from).toBe('computed');
  });

  it('computes in one call what is missing of many keys', async () => {
    const cache = open();
    const asked: (readonly string[])[] = [];
    const many = async (keys: readonly string[]) => {
      asked.push(keys);
      return new Map(keys.map((key) => [key, { value: key }]));
    };
    await cache.getOrComputeMany(['a', 'b'], many);
    const answers = await cache.getOrComputeMany(['c', 'a', 'd', 'c'], many);
    expect([...answers.values()].map(({ value }) => value).sort()).toEqual(['a', 'c', 'd']);
    expect(asked).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('forgets everything when cleared, also what is being computed', async () => {
    const cache = open();
    await cache.getOrCompute('k', speaker('before').compute);
    const gate = Promise.withResolvers<void>();
    const running = cache.getOrCompute('other', async () => (await gate.promise, { value: 'before' }));
    await new Promise(setImmediate);
    await cache.clear();
    gate.resolve();
    await running;
    expect((await cache.getOrCompute('k', speaker('after').compute)).value).toBe('after');
    expect((await cache.getOrCompute('other', speaker('after').compute)).value).toBe('after');
  });

  it('counts hits and misses', async () => {
    const cache = new Cache({ name: 'counted', codec: jsonCodec('1'), ttlSeconds: 60, maxEntries: 10 });
    for (let at = 0; at < 3; at++) await cache.getOrCompute('k', async () => ({ value: 1 }));
    const { body } = await renderMetrics();
    expect(body).toContain('rag_cache_hits_total{cache="counted.memory"} 2');
    expect(body).toContain('rag_cache_misses_total{cache="counted.memory"} 1');
  });
});

describe('keys', () => {
  it('keep tenants apart, whatever their names are', () => {
    expect(cacheKey('retrieval', 'a', 'b:c', 'h')).toBe('retrieval:a:b%3Ac:h');
    expect(cacheKey('retrieval', 'a:b', 'c', 'h')).not.toBe(cacheKey('retrieval', 'a', 'b:c', 'h'));
  });

  it('hash equal parameters equally, in whatever order they come', () => {
    expect(hashOf({ a: 1, b: { c: [1, 2], d: undefined } })).toBe(hashOf({ b: { c: [1, 2] }, a: 1 }));
    expect(hashOf({ a: [1, 2] })).not.toBe(hashOf({ a: [2, 1] }));
    expect(hashOf({ a: '1' })).not.toBe(hashOf({ a: 1 }));
  });
});

describe('codecs', () => {
  it('give back what they were given and refuse what another release wrote', () => {
    expect(jsonCodec('1').decode(jsonCodec('1').encode({ a: 'ä' }))).toEqual({ a: 'ä' });
    expect(() => jsonCodec('2').decode(jsonCodec('1').encode(1))).toThrow('another format');
    const shifted = Buffer.concat([Buffer.from([9]), float32Codec.encode(Float32Array.of(1.5, -2))]).subarray(1);
    expect([...float32Codec.decode(shifted)]).toEqual([1.5, -2]);
    expect(() => float32Codec.decode(Buffer.alloc(5))).toThrow();
  });
});
