import { describe, expect, it } from '@jest/globals';
import { KeyQueues } from './key-queues.js';

const gate = (): { opened: Promise<void>; open: () => void } => {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

describe('KeyQueues', () => {
  it('keeps the order of one key and lets others pass a slow one', async () => {
    const queues = new KeyQueues(4);
    const log: string[] = [];
    const slow = gate();
    queues.run('a', () => slow.opened.then(() => void log.push('a1')));
    queues.run('a', async () => void log.push('a2'));
    const other = gate();
    queues.run('b', async () => {
      log.push('b1');
      other.open();
    });
    await other.opened;
    expect(log).toEqual(['b1']);
    slow.open();
    await queues.drained();
    expect(log).toEqual(['b1', 'a1', 'a2']);
  });

  it('runs no more than its limit at once', async () => {
    const queues = new KeyQueues(3);
    let running = 0;
    let most = 0;
    for (let index = 0; index < 20; index += 1) {
      queues.run(`key-${index}`, async () => {
        most = Math.max(most, (running += 1));
        await new Promise(setImmediate);
        running -= 1;
      });
    }
    await queues.drained();
    expect(most).toBe(3);
  });

  it('lets others run while work that left its slot waits, and what follows it in its key does not', async () => {
    const queues = new KeyQueues(1);
    const log: string[] = [];
    const held = gate();
    queues.run('a', async (leaveSlot) => {
      leaveSlot();
      await held.opened;
      log.push('a1');
    });
    queues.run('a', async () => void log.push('a2'));
    const other = gate();
    queues.run('b', async () => {
      log.push('b1');
      other.open();
    });
    await other.opened;
    held.open();
    await queues.drained();
    expect(log).toEqual(['b1', 'a1', 'a2']);
  });

  it('serves the first work of a tenant at once, however much another one has queued', async () => {
    const queues = new KeyQueues(4);
    const done: string[] = [];
    const held = gate();
    for (let index = 0; index < 10_000; index += 1)
      queues.run(`a${index}`, () => held.opened.then(() => void done.push('a')), 'a');
    await new Promise(setImmediate);
    const served = gate();
    queues.run('b', async () => served.open(), 'b');
    await served.opened;
    expect(done).toEqual([]);
    held.open();
    await queues.drained();
    expect(done).toHaveLength(10_000);
  });

  it('gives slots to tenants in turn', async () => {
    const queues = new KeyQueues(1);
    const done: string[] = [];
    for (const tenant of ['a', 'a', 'a', 'a', 'b', 'b', 'c'])
      queues.run(`${tenant}${done.length}${Math.random()}`, async () => void done.push(tenant), tenant);
    await queues.drained();
    expect(done).toEqual(['a', 'a', 'b', 'c', 'a', 'b', 'a']);
  });
});
