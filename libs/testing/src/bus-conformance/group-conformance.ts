import { expect, it } from '@jest/globals';
import type { BusRecord } from '@ragmesh/messaging';
import type { Connect } from './bus-conformance.js';
import { eventually } from '../eventually.js';
import { freshGroup, freshTopic } from './bus-fixture.js';
import { RecordingSink, join, joinCommitting, numbered, positionsAfter, record } from './recording-sink.js';

/** Far more than leaving takes, also on a machine that is busy. */
const LONG_LEASE_MS = 30_000;

/** What holds of consumer groups: positions, sharing, back-pressure, leaving. */
export function groupConformance(connect: Connect): void {
  it('redelivers what was not committed, and nothing that was', async () => {
    const driver = await connect();
    const [topic, group] = [await freshTopic(driver), freshGroup()];
    await driver.publish(numbered(topic, 10));
    const first = await join(driver, topic, group);
    await eventually('the first member reads', () => first.sink.records.length === 10);
    await first.subscription.commit([{ topic, partition: 0, offset: 4 }]);
    await first.subscription.close();
    const second = await join(await connect(), topic, group);
    await eventually('the second member reads the rest', () => second.sink.records.length === 6);
    expect(second.sink.values()).toEqual(['4', '5', '6', '7', '8', '9']);
  });

  it('shares partitions between two members and loses nothing when one joins or leaves', async () => {
    const driver = await connect();
    const [topic, group] = [await freshTopic(driver, 6), freshGroup()];
    const first = await joinCommitting(driver, topic, group);
    await driver.publish(numbered(topic, 300, 6, 'alone-'));
    const second = await joinCommitting(await connect(), topic, group);
    await driver.publish(numbered(topic, 300, 6, 'joining-'));
    await eventually('half of the partitions moved', async () => {
      await driver.publish(numbered(topic, 6, 6, 'both-'));
      return second.sink.partitions().length === 3;
    });
    await second.subscription.close();
    await driver.publish(numbered(topic, 300, 6, 'alone-again-'));
    const { sink } = await join(driver, topic, freshGroup());
    await eventually('the first member reads everywhere again', () => {
      const read = [...first.sink.values(), ...second.sink.values()];
      return read.filter((value, i) => value.startsWith('alone-again-') && read.indexOf(value) === i).length === 300;
    });
    await eventually('the witness has read all', () => sink.distinct() >= 900);
    const total = new Set([...first.sink.records, ...second.sink.records].map((r) => `${r.partition}:${r.offset}`))
      .size;
    await eventually('nothing was lost', () => total === sink.distinct());
    expect(first.sink.records.length + second.sink.records.length - total).toBeLessThan(300);
  });

  backPressure(connect);
  lagAndClose(connect);
}

function backPressure(connect: Connect): void {
  it('stops delivering paused partitions and goes on where it was', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const { sink, subscription } = await join(driver, topic, freshGroup());
    await driver.publish(numbered(topic, 4, 2));
    await eventually('the first records arrive', () => sink.records.length === 4);
    subscription.pause([{ topic, partition: 0 }]);
    await driver.publish(numbered(topic, 20, 2));
    await eventually('the other partition goes on', () => sink.records.length === 14);
    expect(sink.records.filter(({ partition }) => partition === 0)).toHaveLength(2);
    subscription.resume([{ topic, partition: 0 }]);
    await eventually('the paused partition catches up', () => sink.records.length === 24);
    const offsets = sink.records.filter(({ partition }) => partition === 0).map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: 12 }, (_, offset) => offset));
  });

  it('hands large records over in parts, so that a consumer can stop before it has too much of them', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver);
    const { sink, subscription } = await join(driver, topic, freshGroup());
    const sizes: number[] = [];
    const measure = (records: readonly BusRecord[]) =>
      sizes.push(records.reduce((sum, { value }) => sum + value.byteLength, 0));
    sink.onDeliver = (records) => {
      subscription.pause([{ topic, partition: 0 }]);
      measure(records);
    };
    await driver.publish(Array.from({ length: 12 }, () => record(topic, new Uint8Array(400_000))));
    await eventually('all arrive, a part at a time', () => {
      subscription.resume([{ topic, partition: 0 }]);
      return sink.records.length === 12;
    });
    const late = new RecordingSink();
    late.onDeliver = measure;
    await (await connect()).subscribe({ group: freshGroup(), topics: [topic], sink: late });
    await eventually('a group that comes later has them, too', () => late.records.length === 12);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
    const inOrder = Array.from({ length: 12 }, (_, offset) => offset);
    for (const { records } of [sink, late]) expect(records.map(({ offset }) => offset)).toEqual(inOrder);
  });

  it('does not let one full partition hold up the others', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 3);
    const { sink, subscription } = await join(driver, topic, freshGroup());
    sink.onDeliver = (records) => {
      if (records[0]!.partition === 0) subscription.pause([{ topic, partition: 0 }]);
    };
    for (let round = 0; round < 5; round += 1) await driver.publish(numbered(topic, 300, 3));
    const others = () => sink.records.filter(({ partition }) => partition !== 0).length;
    await eventually('the other partitions are read to the end', () => others() === 1_000);
    expect(sink.records.filter(({ partition }) => partition === 0).length).toBeLessThan(500);
  });
}

function lagAndClose(connect: Connect): void {
  it('tells the lag of a group in records and seconds', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const { sink, subscription } = await join(driver, topic, freshGroup());
    await eventually('the member has its partitions', async () => (await subscription.lag()).length === 2);
    await driver.publish(numbered(topic, 10).concat(record(topic, 'x', 1)));
    await eventually('the records arrive', () => sink.records.length === 11);
    await subscription.commit([{ topic, partition: 0, offset: 7 }]);
    const lagOf = async (partition: number) => (await subscription.lag()).find((lag) => lag.partition === partition)!;
    expect(await lagOf(0)).toMatchObject({ topic, records: 3 });
    const { seconds } = await lagOf(1);
    await eventually('the lag ages', async () => (await lagOf(1)).seconds > seconds);
    await subscription.commit(positionsAfter(sink.records));
    expect(await subscription.lag()).toEqual(expect.arrayContaining([{ topic, partition: 1, records: 0, seconds: 0 }]));
  });

  it('delivers nothing once closed, however often and from wherever it is closed', async () => {
    const driver = await connect();
    const [topic, group] = [await freshTopic(driver, 3), freshGroup()];
    const first = await join(driver, topic, group);
    await driver.publish(numbered(topic, 30, 3));
    await Promise.all([first.subscription.close(), first.subscription.close()]);
    const delivered = first.sink.records.length;
    const heir = await join(driver, topic, group);
    await driver.publish(numbered(topic, 30, 3));
    await eventually('the next member reads all', () => heir.sink.records.length === 60);
    expect(first.sink.records).toHaveLength(delivered);
    expect(first.subscription.isAlive()).toBe(false);
    await Promise.all([driver.close(), heir.subscription.close(), driver.close()]);
    await expect(driver.publish([record(topic, 'late')])).rejects.toThrow();
  });

  it('hands partitions over at once when a member leaves, not when its lease ends', async () => {
    const driver = await connect(LONG_LEASE_MS);
    const [topic, group] = [await freshTopic(driver, 2), freshGroup()];
    const first = await join(driver, topic, group);
    await driver.publish(numbered(topic, 2, 2));
    await eventually('the first member reads', () => first.sink.records.length === 2);
    await first.subscription.close();
    const left = performance.now();
    const second = await join(await connect(LONG_LEASE_MS), topic, group);
    await eventually('the second member reads', () => second.sink.records.length === 2);
    expect(performance.now() - left).toBeLessThan(LONG_LEASE_MS / 2);
  });
}
