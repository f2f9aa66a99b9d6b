import { describe, expect, it } from '@jest/globals';
import { topicConfig, topicDrift } from './topic-drift.js';

const spec = { name: 'document.created', partitions: 6, retentionHours: 168 };
const wanted = { maxRecordBytes: 1_000, replicas: 3 };
const as = (partitions: number, changes: Record<string, string> = {}, replicas = 3) => ({
  name: spec.name,
  partitions,
  replicas,
  config: { ...topicConfig(spec, 1_000), 'segment.bytes': '1', 'min.insync.replicas': '2', ...changes },
});

describe('topicDrift', () => {
  it('finds nothing where the cluster is as the catalogue says', () => {
    expect(topicDrift([spec], [as(6)], wanted)).toEqual([]);
  });

  it('names a missing topic and a setting that differs', () => {
    expect(topicDrift([spec], [], wanted)).toMatchObject([{ setting: 'topic', found: 'missing', repairable: true }]);
    expect(topicDrift([spec], [as(6, { 'retention.ms': '1' })], wanted)).toEqual([
      { topic: spec.name, setting: 'retention.ms', wanted: '604800000', found: '1', repairable: true },
    ]);
  });

  it('names copies that are too few for its hands, and never asks for two in sync where that would stop writing', () => {
    const alone = as(6, { 'min.insync.replicas': '1' }, 1);
    expect(topicDrift([spec], [alone], wanted)).toEqual([
      { topic: spec.name, setting: 'replicas', wanted: '3', found: '1', repairable: false },
    ]);
    expect(topicDrift([spec], [alone], { ...wanted, replicas: 1 })).toEqual([]);
  });

  it('asks for two of three copies in sync, and leaves alone what keeps more', () => {
    expect(topicDrift([spec], [as(6, { 'min.insync.replicas': '1' })], wanted)).toEqual([
      { topic: spec.name, setting: 'min.insync.replicas', wanted: '2', found: '1', repairable: true },
    ]);
    expect(topicDrift([spec], [as(6, { 'min.insync.replicas': '3' }, 5)], wanted)).toEqual([]);
  });

  it('adds partitions and never takes them away', () => {
    expect(topicDrift([spec], [as(3)], wanted)).toMatchObject([{ setting: 'partitions', repairable: true }]);
    expect(topicDrift([spec], [as(9)], wanted)).toMatchObject([{ setting: 'partitions', repairable: false }]);
  });
});
