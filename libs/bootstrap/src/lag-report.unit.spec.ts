import { describe, expect, it } from '@jest/globals';
import { renderMetrics } from '@ragmesh/observability';
import { LagReport } from './lag-report.js';

const shown = async (): Promise<string[]> =>
  (await renderMetrics()).body.split('\n').filter((line) => line.startsWith('ragmesh_consumer_lag_'));

describe('the lag a copy reports', () => {
  const report = new LagReport('vector');

  it('adds up the partitions of a topic, and takes the seconds of the one furthest behind', async () => {
    report.show([
      { topic: 'a', partition: 0, records: 2, seconds: 5 },
      { topic: 'a', partition: 1, records: 3, seconds: 9 },
      { topic: 'b', partition: 0, records: 0, seconds: 0 },
    ]);
    expect(await shown()).toEqual([
      'ragmesh_consumer_lag_records{service="vector",topic="a"} 5',
      'ragmesh_consumer_lag_records{service="vector",topic="b"} 0',
      'ragmesh_consumer_lag_seconds{service="vector",topic="a"} 9',
      'ragmesh_consumer_lag_seconds{service="vector",topic="b"} 0',
    ]);
  });

  it('says nothing more of a topic that moved to another copy', async () => {
    report.show([{ topic: 'b', partition: 0, records: 1, seconds: 1 }]);
    expect((await shown()).filter((line) => line.includes('"a"'))).toEqual([]);
  });
});
