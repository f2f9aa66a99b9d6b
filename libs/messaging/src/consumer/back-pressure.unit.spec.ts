import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import type { BusDriver, BusRecord, Subscription } from '../driver/bus-driver.js';
import type { DeliveryJournal } from '../handling/delivery-journal.js';
import { HandlerRegistry } from '../handling/event-handler.js';
import { defaultRetryPolicy } from '../handling/retry-policy.js';
import { DeliveryPipeline } from '../pipeline/delivery-pipeline.js';
import { EventConsumer } from './event-consumer.js';

/** A consumer whose records, which nobody can read, are given up once the gate opens. */
async function consume() {
  const gate = Promise.withResolvers<void>();
  const journal = { deadLetter: () => gate.promise } as unknown as DeliveryJournal;
  const pipeline = new DeliveryPipeline({
    ...{ service: 'vector', registry: new HandlerRegistry(), journal },
    ...{ retry: defaultRetryPolicy, logger: createLogger('vector', 'silent') },
  });
  const consumer = new EventConsumer(pipeline, { group: 'spec', topics: ['events'], concurrency: 2 });
  const seat = { isPaused: false };
  const subscription = {
    pause: () => (seat.isPaused = true),
    resume: () => (seat.isPaused = false),
    commit: async () => undefined,
    close: async () => undefined,
  } as unknown as Subscription;
  await consumer.start({ subscribe: async () => subscription } as unknown as BusDriver);
  return { consumer, seat, gate };
}

const recordOf = (bytes: number, offset: number): BusRecord => ({
  ...{ topic: 'events', partition: 0, offset, key: `${offset}`, headers: {}, timestamp: 0 },
  value: new Uint8Array(bytes),
});

describe('a partition of which much is not handled yet', () => {
  it.each([
    ['4 MiB', 4, 1024 * 1024],
    ['one record that is larger than that', 1, 5 * 1024 * 1024],
    ['512 records', 512, 10],
  ])('is not read on at %s, and is again when that is done', async (_, enough, bytes) => {
    const { consumer, seat, gate } = await consume();
    for (let offset = 0; offset < enough; offset += 1) {
      expect(seat.isPaused).toBe(false);
      consumer.deliver([recordOf(bytes, offset)]);
    }
    expect(seat.isPaused).toBe(true);
    gate.resolve();
    await eventually('it is read on', () => !seat.isPaused);
    await consumer.stop(1_000);
  });
});
