import { randomBytes } from 'node:crypto';
import { topicSpecs, type TopicSpec } from '@ragmesh/contracts';
import { KafkaBusDriver, partitionForKey, type OutgoingRecord, type RecordSink } from '@ragmesh/messaging';
import kafkajs from 'kafkajs';

const RECORDS = 40_000;
const BATCH = 500;
const BYTES = 1_000;
const PARTITIONS = 6;

export interface EventPathResult {
  /** Records per second, produced and consumed, by kafkajs alone. */
  readonly rawPerSecond: number;
  readonly driverPerSecond: number;
  readonly ratio: number;
}

interface Lane {
  /** Sends one batch. */
  send(from: number): Promise<unknown>;
  /** Resolves when all records have arrived. */
  readonly arrived: Promise<unknown>;
}

const keyOf = (number: number): string => `document-${number % 997}`;
const payload = randomBytes(BYTES);

/** Records per second from the first send to the last arrival; two batches are always on their way. */
async function measure({ send, arrived }: Lane): Promise<number> {
  const begin = performance.now();
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < RECORDS) {
      const from = next;
      next += BATCH;
      await send(from);
    }
  };
  await Promise.all([sender(), sender(), arrived]);
  return (RECORDS / (performance.now() - begin)) * 1000;
}

/** A countdown of records and the promise that it has ended. */
function countdown(): { arrived: Promise<void>; count(records: number): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = RECORDS;
  return {
    arrived: promise,
    count: (records) => {
      left -= records;
      if (left <= 0) resolve();
    },
  };
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
 * S7: records per second through the Kafka driver against kafkajs alone, produced and consumed, in turns (raw, driver,
 * raw, driver), because the machine's speed drifts.
 */
export async function measureEventPath(brokers: string[]): Promise<EventPathResult> {
  const rates = { raw: 0, driver: 0 };
  const rounds = 2;
  for (let round = 0; round < rounds; round += 1) {
    rates.raw += (await raw(brokers, `bench.raw.${round}`)) / rounds;
    rates.driver +=
      (await driver(brokers, { ...topicSpecs[0]!, name: `bench.driver.${round}`, partitions: PARTITIONS })) / rounds;
  }
  return { rawPerSecond: rates.raw, driverPerSecond: rates.driver, ratio: rates.driver / rates.raw };
}
