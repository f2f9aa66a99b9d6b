import { afterEach, expect, it, jest } from '@jest/globals';
import { catalogue } from '@ragmesh/contracts';
import { createLogger, inContext } from '@ragmesh/observability';
import { BestEffortPublisher } from './best-effort-publisher.js';
import type { BusDriver, OutgoingRecord } from './driver/bus-driver.js';

/** A bus that answers nothing until it is told to. */
class HangingBus {
  readonly calls: number[] = [];
  readonly back = Promise.withResolvers<void>();

  partitionsOf = () => 1;

  async publish(records: readonly OutgoingRecord[]) {
    this.calls.push(records.length);
    await this.back.promise;
    return records.map((_, offset) => ({ partition: 0, offset }));
  }
}

function publisherOn(bus: HangingBus) {
  const publisher = new BestEffortPublisher('retrieval', bus as unknown as BusDriver, createLogger('spec', 'silent'));
  const publish = (events: number): void =>
    inContext({ tenant: 'acme', requestId: 'r', subject: 'ada' }, () => {
      for (let event = 0; event < events; event += 1)
        publisher.publish(catalogue.documentDeleted, 'd', { documentId: 'd' });
    });
  return { publisher, publish };
}

afterEach(() => {
  jest.useRealTimers();
});

it('drops what it has no room for while the bus does not answer, and writes what it had once it does', async () => {
  jest.useFakeTimers();
  const bus = new HangingBus();
  const { publisher, publish } = publisherOn(bus);
  publish(1);
  await jest.advanceTimersByTimeAsync(1_000);
  publish(6_000);
  await jest.advanceTimersByTimeAsync(1_000);
  publish(6_000);
  expect(bus.calls).toEqual([1]);
  expect(publisher.dropped).toBe(2_000);
  bus.back.resolve();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(bus.calls).toEqual([1, 10_000]);
});

it('writes what waits when it is closed, and does not wait for a bus that never answers', async () => {
  const bus = new HangingBus();
  const { publisher, publish } = publisherOn(bus);
  publish(2);
  await publisher.close();
  expect(bus.calls).toEqual([2]);
});
