import { expect, it } from '@jest/globals';
import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import { guardIdleTimers } from './idle-timer-guard.js';

interface Timers {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
}

it('arms the timer of a connection only while requests wait', async () => {
  await guardIdleTimers();
  await guardIdleTimers();
  const queue = Object.assign(Object.create(RequestQueue.prototype) as RequestQueue & Timers, {
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
    pending: [] as unknown[],
  });
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  clearTimeout(queue.throttleCheckTimeoutId!);
});
