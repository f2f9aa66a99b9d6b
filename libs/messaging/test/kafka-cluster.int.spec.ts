import { afterAll, beforeAll, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { eventually } from '@ragmesh/testing';
import { freshGroup } from '../../testing/src/bus-conformance/bus-fixture.js';
import { join, joinCommitting, numbered } from '../../testing/src/bus-conformance/recording-sink.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import { readTopicConfigs } from '../src/kafka/topic-settings.js';
import { KafkaSpecServer } from './kafka-spec-server.js';

const TOPIC = 'cluster.events';
const PARTITIONS = 6;

describeWithServer('kafka', 'the Kafka driver on three brokers', () => {
  let server: KafkaSpecServer;
  let driver: KafkaBusDriver;
  let admin: Admin;
  const connect = () =>
    KafkaBusDriver.connect({ brokers: server.kafka.brokers, clientId: 'cluster-spec', sessionTimeoutMs: 6_000 });

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
  }, 240_000);
});
