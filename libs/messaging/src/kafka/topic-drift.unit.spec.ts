import { describe, expect, it } from '@jest/globals';
import { topicConfig, topicDrift } from './topic-drift.js';

const spec = { name: 'document.created', partitions: 6, retentionHours: 168 };
const as = (partitions: number, changes: Record<string, string> = {}) => ({
  name: spec.name,
  partitions,
  config: { ...topicConfig(spec, 1_000), 'segment.bytes': '1', ...changes },
});

describe('topicDrift', () => {
  it('finds nothing where the cluster is as the catalogue says', () => {
    expect(topicDrift([spec], [as(6)], 1_000)).toEqual([]);
  });

  it('names a missing topic and a setting that differs', () => {
    expect(topicDrift([spec], [], 1_000)).toMatchObject([{ setting: 'topic', found: 'missing', repairable: true }]);
    expect(topicDrift([spec], [as(6, { 'retention.ms': '1' })], 1_000)).toEqual([
      { topic: spec.name, setting: 'retention.ms', wanted: '604800000', found: '1', repairable: true },
    ]);
  });

  it('adds partitions and never takes them away', () => {
    expect(topicDrift([spec], [as(3)], 1_000)).toMatchObject([{ setting: 'partitions', repairable: true }]);
    expect(topicDrift([spec], [as(9)], 1_000)).toMatchObject([{ setting: 'partitions', repairable: false }]);
  });
});
