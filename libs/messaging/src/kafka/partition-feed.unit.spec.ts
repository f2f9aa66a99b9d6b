import { describe, expect, it } from '@jest/globals';
import type { BusRecord } from '../driver/bus-driver.js';
import { PartitionFeed } from './partition-feed.js';

const records = (from: number, count: number, bytes = 10): BusRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    topic: 'events',
    partition: 0,
    offset: from + index,
    key: '',
    headers: {},
    value: new Uint8Array(bytes),
    timestamp: 1_000 + from + index,
  }));

function feed(onDeliver: (feed: PartitionFeed, delivered: number) => void = () => undefined) {
  const delivered: number[] = [];
  const fetching: boolean[] = [];
  const own: PartitionFeed = new PartitionFeed(
    { topic: 'events', partition: 0 },
    {
      deliver: (slice) => {
        delivered.push(...slice.map(({ offset }) => offset));
        onDeliver(own, delivered.length);
      },
      fetch: (on) => fetching.push(on),
    },
  );
  return { own, delivered, fetching };
}

describe('PartitionFeed', () => {
  it('stops in the middle of a fetch when the consumer has enough, and goes on where it stopped', () => {
    const { own, delivered } = feed((self) => self.pause());
    own.accept(records(0, 1_000));
    expect(delivered.length).toBeLessThan(500);
    own.accept(records(1_000, 10));
    for (let turn = 0; turn < 10; turn += 1) own.resume();
    expect(delivered).toEqual(Array.from({ length: 1_010 }, (_, offset) => offset));
  });

  it('has the partition fetched ahead up to a limit, and fetched again when that is nearly used up', () => {
    const { own, fetching } = feed();
    own.pause();
    own.accept(records(0, 1, 100_000));
    expect(fetching).toEqual([]);
    own.accept(records(1, 1, 600_000));
    expect(fetching).toEqual([false]);
    own.resume();
    expect(fetching).toEqual([false, true]);
  });

  it('delivers nothing once the partition is gone', () => {
    const { own, delivered } = feed();
    own.pause();
    own.accept(records(0, 10));
    own.release();
    own.resume();
    expect(delivered).toEqual([]);
  });

  it('knows since when the oldest uncommitted record waits', () => {
    const { own } = feed();
    own.accept(records(0, 10));
    own.accept(records(10, 10));
    expect(own.oldestSince(3)).toBe(1_000);
    own.committed(12);
    expect(own.oldestSince(12)).toBe(1_010);
    expect(own.oldestSince(20)).toBeUndefined();
  });
});
