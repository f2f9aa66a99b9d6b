import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TopicSpec } from '@ragmesh/contracts';
import kafkajs, { type Admin } from 'kafkajs';
import { eventually } from '@ragmesh/testing';
import { freshGroup } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, joinCommitting, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import type { KafkaBusOptions } from '../src/kafka/kafka-bus-options.js';
import { readTopicConfigs } from '../src/kafka/topic-settings.js';
import { KafkaSpecServer } from './kafka-spec-server.js';

const TOPIC = 'cluster.events';
const PARTITIONS = 6;

describeWithServer('kafka', 'the Kafka driver on three brokers', () => {
  let server: KafkaSpecServer;
  let driver: KafkaBusDriver;
  let admin: Admin;
  const connect = (options: Partial<KafkaBusOptions> = {}) => {
    const { brokers } = server.kafka;
    return KafkaBusDriver.connect({ brokers, clientId: 'cluster-spec', sessionTimeoutMs: 6_000, ...options });
  };

  beforeAll(async () => {
    server = await KafkaSpecServer.start({ brokers: 3, heapMb: 320 });
    driver = await connect();
    admin = new kafkajs.Kafka({ brokers: server.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
    await driver.provision([{ name: TOPIC, partitions: PARTITIONS, retentionHours: 24 }]);
  });

  afterAll(async () => {
    await admin.disconnect();
    await driver.close();
    await server.stop();
  });

  const partitions = async () => (await admin.fetchTopicMetadata({ topics: [TOPIC] })).topics[0]!.partitions;
  const allInSync = async () => (await partitions()).every(({ isr }) => isr.length === 3);

  it('keeps three copies of each record, two of them in sync', async () => {
    const settings = (await readTopicConfigs(admin, [TOPIC])).get(TOPIC)!;
    expect(settings.effective['min.insync.replicas']).toBe('2');
    expect((await partitions()).map(({ replicas }) => replicas.length)).toEqual(Array(PARTITIONS).fill(3));
  });

  it('names topics that were made while there were fewer brokers, and repairs what it can', async () => {
    const specs = ['cluster.alone', 'cluster.out-of-sync'].map((name) => ({ name, partitions: 1, retentionHours: 24 }));
    const early = await connect({ replicationFactor: 1 });
    await early.provision(specs.slice(0, 1));
    expect(await early.topics.diff(specs.slice(0, 1))).toEqual([]);
    await early.close();
    const configEntries = [{ name: 'min.insync.replicas', value: '1' }];
    const [, second] = specs as [TopicSpec, TopicSpec];
    await driver.provision([second]);
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: second.name, configEntries }],
    });
    const told: unknown[] = [];
    const later = await connect({ onError: (error) => told.push(error) });
    const replicas = { topic: 'cluster.alone', setting: 'replicas', wanted: '3', found: '1', repairable: false };
    await eventually('the brokers have heard of the change', async () => {
      const drift = await later.topics.diff([second]);
      return drift.some(({ setting }) => setting === 'min.insync.replicas');
    });
    expect(await later.topics.diff(specs)).toContainEqual(replicas);
    await later.provision(specs);
    expect(told).toEqual([
      expect.objectContaining({
        code: 'CONFIG.INVALID',
        message: expect.stringMatching(/alone has replicas 1 of 3.*out-of-sync has min\.insync\.replicas 1 of 2/),
      }),
    ]);
    await later.topics.apply(specs);
    expect(await later.topics.diff(specs)).toEqual([replicas]);
    await later.close();
  });

  it('does not start on a topic that is compacted, which would lose events', async () => {
    const spec = { name: 'cluster.compacted', partitions: 1, retentionHours: 24 };
    const configEntries = [{ name: 'cleanup.policy', value: 'compact' }];
    await admin.createTopics({ topics: [{ topic: spec.name, numPartitions: 1, configEntries }] });
    await expect(driver.provision([spec])).rejects.toMatchObject({
      code: 'CONFIG.INVALID',
      message: expect.stringContaining('cluster.compacted has cleanup.policy compact instead of delete'),
    });
    await driver.topics.apply([spec]);
    await driver.provision([spec]);
  });

  it('loses nothing it acknowledged when leaders are killed while it publishes and consumes', async () => {
    const group = freshGroup();
    const consumers = await Promise.all([joinCommitting(driver, TOPIC, group), joinCommitting(driver, TOPIC, group)]);
    const acknowledged = new Map<string, string>();
    let sent = 0;
    let isOver = false;
    const publishing = Array.from({ length: 3 }, async (_, publisher) => {
      while (!isOver) {
        const records = numbered(TOPIC, 24, PARTITIONS, `${publisher}:${(sent += 1)}:`);
        const outcomes = await driver.publish(records).catch(() => []);
        for (const [index, outcome] of outcomes.entries()) {
          if ('error' in outcome) continue;
          const value = Buffer.from(records[index]!.value).toString();
          acknowledged.set(`${outcome.partition}/${outcome.offset}`, value);
        }
      }
    });
    const progress = async (what: string, records: number) => {
      const goal = acknowledged.size + records;
      await eventually(what, () => acknowledged.size >= goal);
    };
    for (const partition of [0, 1]) {
      await progress('records are acknowledged', 1_000);
      const { leader } = (await partitions())[partition]!;
      const broker = server.kafka.nodes[leader - 1]!;
      await broker.kill();
      await progress('publishing goes on with two brokers', 2_000);
      await broker.start();
      await eventually('the broker has caught up', allInSync);
    }
    isOver = true;
    await Promise.all(publishing);

    const places = (records: readonly { partition: number; offset: number; value: Uint8Array }[]) =>
      new Map(records.map((record) => [`${record.partition}/${record.offset}`, Buffer.from(record.value).toString()]));
    const { sink } = await join(driver, TOPIC, freshGroup());
    const lacking = (read: Map<string, string>) =>
      [...acknowledged].filter(([place, value]) => read.get(place) !== value);
    await eventually('a later group reads every acknowledged record', () => lacking(places(sink.records)).length === 0);
    const consumed = () => places(consumers.flatMap((consumer) => consumer.sink.records));
    await eventually('the group that was there has read them too', () => lacking(consumed()).length === 0);
    expect(consumers.every(({ subscription }) => subscription.isAlive())).toBe(true);
  }, 480_000);
});
