import { describe, expect, it } from '@jest/globals';
import { partitionForKey } from './partitioner.js';

describe('partitionForKey', () => {
  // Expected hashes are those of org.apache.kafka.common.utils.UtilsTest.testMurmur2, made positive and taken modulo 1000.
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('places %s where a Kafka client would', (key, hash) => {
    expect(partitionForKey(key, 1000)).toBe((hash & 0x7fffffff) % 1000);
  });
});
