import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { freshGroup, freshTopic } from '../../testing/src/bus-conformance/bus-fixture.js';
import {
  join,
  numbered,
  positionsAfter,
  record,
  RecordingSink,
} from '../../testing/src/bus-conformance/recording-sink.js';
import { describeWithServer } from '../../testing/src/required-server.js';
import { guardIdleTimers } from '../src/kafka/idle-timer-guard.js';
import { KafkaBusDriver } from '../src/kafka/kafka-bus-driver.js';
import type { KafkaBusOptions } from '../src/kafka/kafka-bus-options.js';
import { KafkaSpecServer } from './kafka-spec-server.js';
import { writeUnreadable } from './unreadable-record.js';

const SESSION_MS = 3_000;

describeWithServer('kafka', 'guards around kafkajs', () => {
  let server: KafkaSpecServer;
  let admin: Admin;
  const drivers: KafkaBusDriver[] = [];
  const reported: unknown[] = [];

  const connect = async (options: Partial<KafkaBusOptions> = {}) => {
    const driver = await KafkaBusDriver.connect({
      brokers: server.kafka.brokers,
      clientId: 'guards-spec',
      sessionTimeoutMs: SESSION_MS,
      onError: (error) => reported.push(error),
      ...options,
    });
    drivers.push(driver);
    return driver;
  };
  const membersOf = async (group: string) => (await admin.describeGroups([group])).groups[0]!.members.length;

  beforeAll(async () => {
    server = await KafkaSpecServer.start({ createsTopics: true });
    await guardIdleTimers();
    admin = new kafkajs.Kafka({ brokers: server.kafka.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterEach(async () => {
    await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    reported.length = 0;
  });
  afterAll(async () => {
    await admin.disconnect();
    await server.stop();
  });

  it('fails liveness when kafkajs gives up for good, here at a codec it does not have', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver);
    const { subscription, sink } = await join(driver, topic, freshGroup());
    await writeUnreadable(server.kafka.brokers, topic);
    await eventually('the subscription is known to be dead', () => !subscription.isAlive());
    expect(sink.records).toHaveLength(0);
    expect(reported).toContainEqual(expect.objectContaining({ code: 'DEPENDENCY.UNAVAILABLE' }));
  });

  it('fails liveness instead of skipping records when a consumer throws', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const sink = new RecordingSink();
    sink.onDeliver = () => {
      throw new TypeError('a bug');
    };
    const subscription = await driver.subscribe({ group: freshGroup(), topics: [topic], sink });
    await driver.publish(numbered(topic, 10, 2));
    await eventually('the subscription is known to be dead', () => !subscription.isAlive());
    expect(sink.partitions()).toHaveLength(1);
    expect(reported).toContainEqual(expect.any(TypeError));
  });

  it('keeps its place in the group while a record takes three times the session', async () => {
    const driver = await connect();
    /** A group of its own, as one that lost its place because the machine stood still says nothing. */
    const workLong = async (): Promise<RecordingSink> => {
      const topic = await freshTopic(driver);
      const { subscription, sink } = await join(driver, topic, freshGroup());
      await driver.publish([record(topic, 'slow')]);
      await eventually('the record arrives', () => sink.records.length === 1);
      subscription.pause([{ topic, partition: 0 }]);
      const done = performance.now() + 3 * SESSION_MS;
      await eventually('the work is done', () => performance.now() > done);
      if (sink.lost.length > 0) return sink;
      await subscription.commit(positionsAfter(sink.records));
      subscription.resume([{ topic, partition: 0 }]);
      await driver.publish([record(topic, 'next')]);
      await eventually('it goes on', () => sink.values().includes('next'));
      return sink;
    };
    const sink = await withinAttempts(2, workLong, ({ lost }) => lost.length === 0);
    expect(sink.lost).toEqual([]);
    expect(sink.values()).toEqual(['slow', 'next']);
  });

  it('does not deliver again what a rebalance leaves with the same member', async () => {
    const patient = { sessionTimeoutMs: 30_000 }; // a member that is put out in between begins anew, and gets all again
    const driver = await connect(patient);
    const [topic, group] = [await freshTopic(driver, 6), freshGroup()];
    const first = await join(driver, topic, group);
    await driver.publish(numbered(topic, 60, 6));
    await eventually('the first member reads', () => first.sink.records.length === 60);
    const second = await join(await connect(patient), topic, group);
    await eventually('half moves', () => second.sink.records.length === 30);
    await driver.publish(numbered(topic, 6, 6, 'after-'));
    await eventually('all go on', () => first.sink.records.length === 63 && second.sink.records.length === 33);
    expect(first.sink.lost.map(({ partition }) => partition).sort()).toEqual(second.sink.partitions());
    expect(first.sink.distinct()).toBe(63);
    await first.subscription.commit(positionsAfter(first.sink.records));
    const lag = await first.subscription.lag();
    expect(lag.map(({ records }) => records)).toEqual([0, 0, 0]);
  });

  it('keeps installations with prefixes of their own apart, though topics and groups are named alike', async () => {
    const installations = await Promise.all(['a.', 'b.'].map((topicPrefix) => connect({ topicPrefix })));
    const [name, group] = [`shared.${freshGroup()}`, freshGroup()];
    for (const driver of installations) await driver.provision([{ name, partitions: 2, retentionHours: 24 }]);
    const members = await Promise.all(installations.map((driver) => join(driver, name, group)));
    for (const [at, driver] of installations.entries()) await driver.publish(numbered(name, 10, 2, `${'ab'[at]}-`));
    for (const [at, { sink }] of members.entries()) {
      await eventually('its own records arrive', () => sink.records.length >= 10);
      const own = Array.from({ length: 10 }, (_, number) => `${'ab'[at]}-${number}`);
      expect(sink.values().toSorted()).toEqual(own);
      expect(sink.partitions()).toEqual([0, 1]);
      expect(sink.lost).toEqual([]);
    }
    expect(await Promise.all(['a.', 'b.'].map((prefix) => membersOf(prefix + group)))).toEqual([1, 1]);
  });

  it('tells when records expired unread, and goes on at the oldest left', async () => {
    const driver = await connect();
    const [topic, group] = [await freshTopic(driver), freshGroup()];
    const before = await join(driver, topic, group);
    await driver.publish(numbered(topic, 10));
    await eventually('the records arrive', () => before.sink.records.length === 10);
    await before.subscription.commit([{ topic, partition: 0, offset: 2 }]);
    await before.subscription.close();
    await admin.fetchTopicOffsets(topic); // kafkajs deletes only where it knows the leader
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    const after = await join(driver, topic, group);
    await eventually('what is left arrives', () => after.sink.records.length === 4);
    expect(after.sink.values()).toEqual(['6', '7', '8', '9']);
    expect(reported).toContainEqual(expect.objectContaining({ code: 'EVENT.EXPIRED' }));
  });

  it('finds the record a topic is too strict for, and writes the others in order', async () => {
    const driver = await connect({ maxRecordBytes: 100_000 });
    const topic = await freshTopic(driver);
    const generous = await connect();
    await generous.topics.refresh();
    const sizes = [10, 50_000, 150_000, 20];
    const outcomes = await generous.publish(sizes.map((size) => record(topic, Buffer.alloc(size, 1))));
    expect(outcomes[2]).toMatchObject({ error: { code: 'EVENT.TOO_LARGE' } });
    expect(outcomes.filter((_, index) => index !== 2).map((outcome) => 'offset' in outcome && outcome.offset)).toEqual([
      0, 1, 2,
    ]);
    const { sink } = await join(driver, topic, freshGroup());
    await eventually('they arrive', () => sink.records.length === 3);
    expect(sink.records.map(({ value }) => value.byteLength)).toEqual([10, 50_000, 20]);
  });

  it('says what to do when a topic is missing, and creates none', async () => {
    const driver = await connect();
    const topic = `missing.${freshGroup()}`;
    await expect(driver.publish([record(topic, 'x')])).rejects.toThrow(/provision/);
    await expect(join(driver, topic, freshGroup())).rejects.toMatchObject({ code: 'CONFIG.INVALID' });
    expect(await admin.listTopics()).not.toContain(topic);
  });

  it('does not bring back a topic that was deleted, where brokers make every topic that is named', async () => {
    const [driver, group] = [await connect(), freshGroup()];
    const topic = await freshTopic(driver);
    await admin.deleteTopics({ topics: [topic] });
    await eventually('the topic is gone', async () => !(await admin.listTopics()).includes(topic));
    const outcomes = await Promise.allSettled([driver.publish([record(topic, 'x')]), join(driver, topic, group)]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await admin.listTopics()).not.toContain(topic);
  });

  it('refuses to start on a topic with fewer partitions than the catalogue says', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const later = (await connect()).provision([{ name: topic, partitions: 3, retentionHours: 24 }]);
    await expect(later).rejects.toMatchObject({ code: 'CONFIG.INVALID', message: expect.stringContaining('2 of 3') });
  });

  it('closes by its deadline during an outage and does not join the group afterwards', async () => {
    const driver = await connect({ closeTimeoutMs: 1_000 });
    const [topic, group] = [await freshTopic(driver, 2), freshGroup()];
    const zombie = await join(driver, topic, group);
    const [broker] = server.kafka.nodes;
    await broker!.kill();
    const closing = performance.now();
    await zombie.subscription.close();
    expect(performance.now() - closing).toBeLessThan(10_000);
    await broker!.start();
    const heir = await join(await connect({ sessionTimeoutMs: 10 * SESSION_MS }), topic, group);
    let heard = 0;
    await eventually('the heir is alone for longer than a session', async () => {
      // Refused while the group settles.
      const isIn = await heir.subscription.commit([{ topic, partition: 0, offset: 0 }]).then(
        () => true,
        () => false,
      );
      if (!isIn) return false;
      heard = (await membersOf(group)) === 1 ? heard || performance.now() : 0;
      return heard > 0 && performance.now() - heard > SESSION_MS + 1_000;
    });
    expect(heir.sink.lost).toEqual([]);
    expect(zombie.subscription.isAlive()).toBe(false);
  });

  it('takes a broker that is silent for an outage: publishing fails, and works again when it is back', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver);
    const { sink, subscription } = await join(driver, topic, freshGroup());
    const [broker] = server.kafka.nodes;
    broker!.freeze();
    const published = driver.publish([record(topic, 'late')]);
    const frozenUntil = performance.now() + 2 * SESSION_MS;
    await eventually('the session is over', () => performance.now() > frozenUntil);
    expect(subscription.isAlive()).toBe(true);
    broker!.thaw();
    await published;
    await eventually('the record arrives', () => sink.values().includes('late'));
  });
});
