import { EventEmitter } from 'node:events';
import { expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import type { Admin, AssignerProtocol, ConsumerCrashEvent, Kafka } from 'kafkajs';
import { resolveKafkaOptions } from './kafka-bus-options.js';
import { KafkaSubscription } from './kafka-subscription.js';
import { KafkaTopics } from './kafka-topics.js';

const outage = Object.assign(new Error('no broker answers'), { name: 'KafkaJSConnectionError' });

/** A consumer of kafkajs, scripted: a real broker does not refuse in the moment between connecting and subscribing. */
class ScriptedConsumer extends EventEmitter {
  readonly events = { GROUP_JOIN: 'join', HEARTBEAT: 'heartbeat', CRASH: 'crash', FETCH_START: 'fetch' };
  isConnected = false;

  constructor(private readonly answers: boolean) {
    super();
  }

  async connect(): Promise<void> {
    this.isConnected = true;
  }

  async subscribe(): Promise<void> {
    if (!this.answers) throw outage;
  }

  async run(): Promise<void> {
    this.emit('join', { payload: { memberId: 'm', memberAssignment: {} } });
  }

  async disconnect(): Promise<void> {
    this.isConnected = false;
    throw new Error('it has gone already');
  }
}

it('closes each member that could not join again before it makes the next', async () => {
  const consumers: ScriptedConsumer[] = [];
  const connected = (): number => consumers.filter(({ isConnected }) => isConnected).length;
  const newConsumer = (): ScriptedConsumer => {
    // The first one works, the next one is cut off after it has connected.
    consumers.push(new ScriptedConsumer(consumers.length !== 1));
    return consumers.at(-1)!;
  };
  const admin = {} as Admin;
  const options = resolveKafkaOptions({ brokers: [], clientId: 'spec' });
  const subscription = new KafkaSubscription(
    { group: 'spec', topics: ['events'], sink: { deliver: () => undefined, revoked: async () => undefined } },
    {
      ...{ topics: new KafkaTopics(admin, options), admin, sessionTimeoutMs: 3_000, closeTimeoutMs: 1_000 },
      clients: {
        newClient: () => ({ consumer: newConsumer }) as unknown as Kafka,
        protocol: {} as typeof AssignerProtocol,
      },
      left: () => undefined,
      failed: () => undefined,
    },
  );
  await subscription.start();
  // As kafkajs does: it leaves before it tells that it will not come back.
  consumers[0]!.isConnected = false;
  consumers[0]!.emit('crash', { payload: { error: outage, restart: false } } as ConsumerCrashEvent);
  await eventually('a third member has joined', () => consumers.length === 3 && consumers[2]!.isConnected);
  expect(connected()).toBe(1);
  await subscription.close();
  expect(connected()).toBe(0);
});
