import { join } from 'node:path';
import { topicSpecs, type TopicSpec } from '@ragmesh/contracts';
import { KafkaBusDriver, partitionForKey, type OutgoingRecord, type RecordSink } from '@ragmesh/messaging';
import kafkajs from 'kafkajs';
import { BATCH, PARTITIONS, countdown, keyOf, measure, payload } from './event-lane.js';
import { outboxToInbox } from './outbox-to-inbox.js';

/** Records per second, produced and consumed. */
export interface EventPathResult {
  /** kafkajs alone. */
  readonly raw: number;
  /** The Kafka driver, without outbox and inbox. */
  readonly driver: number;
  /** From a transaction in one service to a transaction in another. */
  readonly services: number;
}

/** kafkajs alone: batched produce with all acknowledgements, batched consume with one commit per batch. */
async function raw(brokers: string[], topic: string): Promise<number> {
  const kafka = new kafkajs.Kafka({ brokers, clientId: 'bench', logLevel: kafkajs.logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  const consumer = kafka.consumer({ groupId: `${topic}-group` });
  const { arrived, count } = countdown();
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ eachBatch: ({ batch }) => Promise.resolve(count(batch.messages.length)) });
  await joined;
  const send = (from: number): Promise<unknown> => {
    const messages = Array.from({ length: BATCH }, (_, at) => ({ key: keyOf(from + at), value: payload }));
    return producer.send({ topic, acks: -1, messages });
  };
  try {
    return await measure({ send, arrived });
  } finally {
    await Promise.all([producer.disconnect(), consumer.disconnect()]);
  }
}

/** The bus as services use it: every record answered for, every position committed. */
async function driver(brokers: string[], spec: TopicSpec): Promise<number> {
  const bus = await KafkaBusDriver.connect({ brokers, clientId: 'bench-driver' });
  await bus.provision([spec]);
  const { arrived, count } = countdown();
  const sink: RecordSink = {
    deliver: (records) => {
      const last = records.at(-1)!;
      count(records.length);
      void subscription.commit([{ topic: last.topic, partition: last.partition, offset: last.offset + 1 }]);
    },
    revoked: () => Promise.resolve(),
  };
  const subscription = await bus.subscribe({ group: `${spec.name}-group`, topics: [spec.name], sink });
  const recordOf = (number: number): OutgoingRecord => {
    const key = keyOf(number);
    return { topic: spec.name, partition: partitionForKey(key, PARTITIONS), key, headers: {}, value: payload };
  };
  const send = async (from: number): Promise<void> => {
    const outcomes = await bus.publish(Array.from({ length: BATCH }, (_, at) => recordOf(from + at)));
    if (outcomes.some((outcome) => 'error' in outcome)) throw new Error('A record was not published.');
  };
  try {
    return await measure({ send, arrived });
  } finally {
    await subscription.close();
    await bus.close();
  }
}

/**
 * S7: records per second through the Kafka driver, and from service to service, against kafkajs alone, in turns, because the
 * machine's speed drifts.
 * @param folder for the services' databases.
 */
export async function measureEventPath(brokers: string[], folder: string): Promise<EventPathResult> {
  const rates = { raw: 0, driver: 0, services: 0 };
  const rounds = 2;
  for (let round = 0; round < rounds; round += 1) {
    const spec = { ...topicSpecs[0]!, name: `bench.driver.${round}`, partitions: PARTITIONS };
    rates.raw += (await raw(brokers, `bench.raw.${round}`)) / rounds;
    rates.driver += (await driver(brokers, spec)) / rounds;
    const place = { topicPrefix: `bench${round}.`, dataDir: join(folder, String(round)) };
    rates.services += (await outboxToInbox(brokers, place)) / rounds;
  }
  return rates;
}
