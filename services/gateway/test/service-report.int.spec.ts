import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, decodePayload } from '@ragmesh/contracts';
import type { BusRecord } from '@ragmesh/messaging';
import { eventually } from '@ragmesh/testing';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

const { serviceHealth, performanceMetrics } = catalogue;

let edge: EdgeAlone;
const records: BusRecord[] = [];
beforeAll(async () => {
  edge = await startEdgeAlone();
  const sink = {
    deliver: (delivered: readonly BusRecord[]) => void records.push(...delivered),
    revoked: async () => {},
  };
  await edge.bus.subscribe({ group: 'spec', topics: [serviceHealth.topic, performanceMetrics.topic], sink });
});
afterAll(() => edge.close());

const from = (topic: string): BusRecord[] => records.filter((record) => record.topic === topic);

describe('a service that has started', () => {
  it('tells the bus that it is ready, and what its process uses', async () => {
    const isTold = () => [serviceHealth, performanceMetrics].every(({ topic }) => from(topic).length > 0);
    await eventually('both are told', isTold);
    const health = decodePayload(serviceHealth, from(serviceHealth.topic)[0]!.value);
    expect(health).toMatchObject({ service: 'gateway', status: 'ready' });
    const { service, values } = decodePayload(performanceMetrics, from(performanceMetrics.topic)[0]!.value);
    expect(service).toBe('gateway');
    expect(Object.keys(values).sort()).toEqual(['event_loop_utilization', 'processor_seconds', 'resident_memory_mb']);
    expect(values['resident_memory_mb']).toBeGreaterThan(10);
  });
});
