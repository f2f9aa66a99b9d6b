import { describe, expect, it } from '@jest/globals';
import type { BusRecord } from '../driver/bus-driver.js';
import { HeldPartitions } from './held-partitions.js';

const [p0, p1, p2] = [0, 1, 2].map((partition) => ({ topic: 'events', partition }));
const record = (partition: number, offset: number): BusRecord => ({
  topic: 'events',
  partition,
  offset,
  key: '',
  headers: {},
  value: new Uint8Array(1),
  timestamp: 0,
});

function member() {
  const log: string[] = [];
  const held = new HeldPartitions({
    deliver: ([first]) => log.push(`deliver ${first!.partition}:${first!.offset}`),
    revoked: async (partitions) => void log.push(`revoked ${partitions.map(({ partition }) => partition).join()}`),
    fetch: () => undefined,
    seek: ({ partition }, offset) => log.push(`seek ${partition}:${offset}`),
    failed: (error) => log.push(String(error)),
  });
  return { held, log };
}

describe('HeldPartitions', () => {
  it('goes on where it was with what a rebalance leaves to the same member, and lets go of the rest', () => {
    const { held, log } = member();
    held.assign('a', [p0!, p1!]);
    held.accept(p0!, [record(0, 5)]);
    held.accept(p1!, [record(1, 8)]);
    held.assign('a', [p1!, p2!]);
    expect(log).toEqual(['deliver 0:5', 'deliver 1:8', 'revoked 0', 'seek 1:9']);
    expect(held.accept(p0!, [record(0, 6)])).toBe(false);
  });

  it('gives everything up when the group forgot the member meanwhile', () => {
    const { held, log } = member();
    held.assign('a', [p0!, p1!]);
    held.accept(p1!, [record(1, 8)]);
    const before = held.of(p1!)!;
    held.assign('b', [p1!]);
    expect(log).toEqual(['deliver 1:8', 'revoked 0,1']);
    expect(before.isHeld).toBe(false);
    expect(held.of(p1!)).not.toBe(before);
  });

  it('begins anew when the position went back, so that nothing of a topic made anew is taken for a repetition', () => {
    const { held, log } = member();
    held.assign('a', [p0!]);
    held.accept(p0!, [record(0, 100)]);
    held.accept(p0!, [record(0, 0)]);
    expect(log).toEqual(['deliver 0:100', 'revoked 0', 'deliver 0:0']);
  });
});
