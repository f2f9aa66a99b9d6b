import { describe, expect, it } from '@jest/globals';
import { RagmeshError } from '@ragmesh/errors';
import { Bulkhead } from './bulkhead.js';

describe('Bulkhead', () => {
  const gate = () => {
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { open, opened };
  };

  it('runs so many, queues so many in order, and sheds the rest with advice', async () => {
    const bulkhead = new Bulkhead('search', { concurrency: 1, queueLimit: 2 });
    const { open, opened } = gate();
    const order: number[] = [];
    const calls = [1, 2, 3].map((n) =>
      bulkhead.run(async () => {
        await opened;
        order.push(n);
      }),
    );
    expect([bulkhead.active, bulkhead.queued]).toEqual([1, 2]);
    await expect(bulkhead.run(async () => 4)).rejects.toMatchObject({
      code: 'OVERLOAD.SHED',
      details: { retryAfter: 1 },
    });
    open();
    await Promise.all(calls);
    expect(order).toEqual([1, 2, 3]);
    expect([bulkhead.active, bulkhead.queued]).toEqual([0, 0]);
  });

  it('gives no line more than its share, and the others theirs in turn', async () => {
    const perLine = { concurrency: 1, queueLimit: 2 };
    const bulkhead = new Bulkhead('fetch', { concurrency: 2, queueLimit: 4, perLine });
    const { open, opened } = gate();
    const order: string[] = [];
    const call = (name: string) =>
      bulkhead.run(
        async () => {
          order.push(name);
          await opened;
        },
        undefined,
        name[0],
      );
    const calls = ['a1', 'a2', 'a3'].map(call);
    await expect(call('a4')).rejects.toMatchObject({ code: 'OVERLOAD.SHED' });
    expect([bulkhead.active, bulkhead.queued]).toEqual([1, 2]);
    calls.push(...['b1', 'b2'].map(call));
    expect([bulkhead.active, bulkhead.queued]).toEqual([2, 3]);
    open();
    await Promise.all(calls);
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3']);
    expect([bulkhead.active, bulkhead.queued]).toEqual([0, 0]);
  });

  it('keeps nobody waiting longer than is said, and passes the place to who still waits', async () => {
    const bulkhead = new Bulkhead('fetch', { concurrency: 1, queueLimit: 2, maxWaitMs: 20 });
    const { open, opened } = gate();
    const running = bulkhead.run(() => opened);
    await expect(bulkhead.run(async () => 2)).rejects.toMatchObject({
      code: 'OVERLOAD.SHED',
      details: { retryAfter: expect.any(Number) },
    });
    expect(bulkhead.queued).toBe(0);
    const waiting = bulkhead.run(async () => 3);
    open();
    expect(await waiting).toBe(3);
    await running;
    expect([bulkhead.active, bulkhead.queued]).toEqual([0, 0]);
  });

  it('lets a waiting caller go, and frees the place of one that fails', async () => {
    const bulkhead = new Bulkhead('search', { concurrency: 1, queueLimit: 1 });
    const { open, opened } = gate();
    const failing = bulkhead.run(async () => {
      await opened;
      throw new RagmeshError('REQUEST.INVALID', 'wrong');
    });
    const caller = new AbortController();
    const waiting = bulkhead.run(async () => 2, caller.signal);
    caller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'REQUEST.CANCELLED' });
    open();
    await expect(failing).rejects.toMatchObject({ code: 'REQUEST.INVALID' });
    await expect(bulkhead.run(async () => 3)).resolves.toBe(3);
  });
});
