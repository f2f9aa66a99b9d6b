import { describe, expect, it } from '@jest/globals';
import { SharedStream } from './shared-stream.js';

const nobody = new AbortController().signal;

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Counts what is taken from it. */
function numbers(count: number, failure?: Error) {
  const made = { taken: 0, left: false };
  const open = async function* (abandoned: AbortSignal): AsyncGenerator<number> {
    abandoned.addEventListener('abort', () => (made.left = true));
    for (let at = 1; at <= count; at += 1) {
      made.taken = at;
      await Promise.resolve();
      yield at;
    }
    if (failure) throw failure;
  };
  return { made, stream: new SharedStream(open) };
}

describe('a stream that is shared', () => {
  it('is made once and read by all from its beginning, also by who comes late', async () => {
    const { made, stream } = numbers(3);
    const [one, other] = await Promise.all([all(stream.read(nobody)), all(stream.read(nobody))]);
    expect([one, other, await all(stream.read(nobody))]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(made.taken).toBe(3);
    expect(await stream.whole).toEqual([1, 2, 3]);
  });

  it('makes nothing that no reader asked for', async () => {
    const { made, stream } = numbers(100);
    const reader = stream.read(nobody);
    await reader.next();
    await reader.next();
    expect(made.taken).toBe(2);
    await reader.return();
  });

  it('goes on while one reader is left, and ends with the last', async () => {
    const { made, stream } = numbers(100);
    const [one, other] = [stream.read(nobody), stream.read(nobody)];
    await Promise.all([one.next(), other.next()]);
    await one.return();
    expect((await other.next()).value).toBe(2);
    expect([made.left, stream.isOpen]).toEqual([false, true]);
    await other.return();
    expect([made.left, stream.isOpen]).toEqual([true, false]);
    expect(await stream.whole).toBeUndefined();
  });

  it('lets a reader go that does not want to wait', async () => {
    const silent = new SharedStream<number>(async function* () {
      await new Promise(() => undefined);
      yield 1;
    });
    const leaving = new AbortController();
    const reading = all(silent.read(leaving.signal));
    leaving.abort();
    await expect(reading).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(silent.isOpen).toBe(false);
  });

  it('fails for everyone, and is never whole then', async () => {
    const { stream } = numbers(2, new Error('cut'));
    const readings = await Promise.allSettled([all(stream.read(nobody)), all(stream.read(nobody))]);
    expect(readings.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(all(stream.read(nobody))).rejects.toThrow('cut');
    expect(await stream.whole).toBeUndefined();
  });
});
