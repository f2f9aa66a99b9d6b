import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import type pg from 'pg';
import { freshGroup, freshTopic } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, joinCommitting, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { EmbeddedBusDriver } from '../src/embedded/embedded-bus-driver.js';
import type { RetentionOptions } from '../src/embedded/embedded-bus-options.js';
import { SpecServer } from './embedded-server.js';

describe('retention of the embedded bus', () => {
  let server: SpecServer;
  let rows: pg.Pool;
  let driver: EmbeddedBusDriver;

  beforeAll(async () => {
    server = await SpecServer.start();
    rows = createPool(server.busUrl);
  });
  afterEach(() => driver.close());
  afterAll(async () => {
    await rows.end();
    await server.stop();
  });

  const connect = async (retention: RetentionOptions) => {
    driver = await EmbeddedBusDriver.connect({
      databaseUrl: server.busUrl,
      retention: { intervalMs: 50, ...retention },
    });
    return driver;
  };
  const kept = async (topic: string): Promise<number> => {
    const text = `select count(*)::int as count from bus.record r join bus.topic_partition p on p.id = r.partition_id where p.topic = $1`;
    return (await rows.query<{ count: number }>(text, [topic])).rows[0]!.count;
  };

  it('removes what every group has committed, and only that', async () => {
    await connect({ graceMs: 0 });
    const [topic, group] = [await freshTopic(driver), freshGroup()];
    const slow = await join(driver, topic, group);
    await joinCommitting(driver, topic, freshGroup());
    await driver.publish(numbered(topic, 10));
    await eventually('the slow group reads', () => slow.sink.records.length === 10);
    await slow.subscription.commit([{ topic, partition: 0, offset: 4 }]);
    await eventually('the first four go', async () => (await kept(topic)) === 6);
    await slow.subscription.close();
    const heir = await join(driver, topic, group);
    await eventually('the rest is still there', () => heir.sink.records.length === 6);
    expect(await kept(topic)).toBe(6);
  });

  it('keeps the records of a topic without a group until their time is over', async () => {
    await connect({ graceMs: 0 });
    const lasting = await freshTopic(driver);
    await driver.publish(numbered(lasting, 3));
    const brief = `${lasting}.brief`;
    await driver.provision([{ name: brief, partitions: 1, retentionHours: 0.2 / 3_600 }]);
    await driver.publish(numbered(brief, 3));
    await eventually('the brief topic is emptied', async () => (await kept(brief)) === 0);
    expect(await kept(lasting)).toBe(3);
    expect(await driver.publish(numbered(brief, 1))).toEqual([{ partition: 0, offset: 3 }]);
  });

  it('keeps consumed records through the grace', async () => {
    await connect({ graceMs: 1_500 });
    const topic = await freshTopic(driver);
    await joinCommitting(driver, topic, freshGroup());
    const published = performance.now();
    await driver.publish(numbered(topic, 3));
    await eventually('they go', async () => (await kept(topic)) === 0);
    expect(performance.now() - published).toBeGreaterThan(1_400);
  });
});
