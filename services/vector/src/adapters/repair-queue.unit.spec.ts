import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { RepairQueue } from './repair-queue.js';

const document = { tenant: 't', documentId: 'one' };

describe('the repair queue', () => {
  let queue: RepairQueue | undefined;
  afterEach(() => queue?.close());

  /** A repair that fails while the store is away, and counts how often it ran, and at once. */
  function start() {
    const seen = { calls: 0, running: 0, most: 0, isAway: true };
    const repair = async (): Promise<void> => {
      seen.calls += 1;
      seen.most = Math.max(seen.most, (seen.running += 1));
      await delay(10);
      seen.running -= 1;
      if (seen.isAway) throw new Error('away');
    };
    queue = new RepairQueue(repair, createLogger('vector', 'silent'));
    return { seen, queue };
  }

  it('repairs a document that was asked for often once at a time, and at most twice when the store is back', async () => {
    const { seen, queue: own } = start();
    for (let n = 0; n < 100; n += 1) own.soon(document);
    await eventually('the first attempt has failed', () => seen.calls > 0 && seen.running === 0);
    expect(seen).toMatchObject({ calls: 1, most: 1 });
    for (let n = 0; n < 100; n += 1) own.soon(document);
    seen.isAway = false;
    await eventually('it is repaired', () => seen.calls > 1 && seen.running === 0);
    await delay(100); // no more may follow
    expect(seen.most).toBe(1);
    expect(seen.calls).toBeGreaterThanOrEqual(2);
    expect(seen.calls).toBeLessThanOrEqual(3);
  });

  it('repairs a few documents at a time, however many a store that was away leaves', async () => {
    const { seen, queue: own } = start();
    seen.isAway = false;
    for (let n = 0; n < 40; n += 1) own.soon({ ...document, documentId: String(n) });
    await eventually('all are repaired', () => seen.calls >= 40 && seen.running === 0);
    expect(seen.most).toBe(4);
  });

  it('repairs once more what is asked for while a repair runs, and each document for itself', async () => {
    const { seen, queue: own } = start();
    seen.isAway = false;
    own.soon(document);
    for (let n = 0; n < 5; n += 1) own.soon(document);
    own.soon({ ...document, tenant: 'u' });
    await eventually('all are repaired', () => seen.calls > 2 && seen.running === 0);
    await delay(50); // no more may follow
    expect(seen).toMatchObject({ calls: 3, most: 2, running: 0 });
    own.soon(document);
    await eventually('it is repaired again', () => seen.calls > 3 && seen.running === 0);
    expect(seen.calls).toBe(4);
  });
});
