import { expect, it } from '@jest/globals';
import type { PublishOutcome } from '@ragmesh/messaging';
import type { Connect } from './bus-conformance.js';
import { eventually } from '../eventually.js';
import { freshGroup, freshTopic, type BusUnderTest } from './bus-fixture.js';
import { join, joinCommitting, numbered, record } from './recording-sink.js';

const offsetsOf = (outcomes: readonly PublishOutcome[]): number[] =>
  outcomes.map((outcome) => ('error' in outcome ? NaN : outcome.offset));

/** What holds of the log itself: what goes in comes out, whole and in order. */
export function logConformance(bus: BusUnderTest, connect: Connect): void {
  it('delivers what was published, with its place, key and time', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 3);
    expect(driver.partitionsOf(topic)).toBe(3);
    const { sink } = await join(driver, topic, freshGroup());
    const outcomes = await driver.publish([record(topic, 'a', 2, 'doc-1'), record(topic, 'b', 0, 'doc-2')]);
    expect(outcomes).toEqual([
      { partition: 2, offset: 0 },
      { partition: 0, offset: 0 },
    ]);
    await eventually('both records arrive', () => sink.records.length === 2);
    const first = sink.records.find(({ partition }) => partition === 2)!;
    expect(first).toMatchObject({ topic, offset: 0, key: 'doc-1' });
    expect(Math.abs(Date.now() - first.timestamp)).toBeLessThan(60_000);
  });

  it('keeps the order of each key', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 3);
    const { sink } = await join(driver, topic, freshGroup());
    for (let round = 0; round < 10; round += 1) await driver.publish(numbered(topic, 30, 3, `${round}-`));
    await eventually('all records arrive', () => sink.records.length === 300);
    for (const partition of [0, 1, 2]) {
      const own = sink.records.filter((delivered) => delivered.partition === partition);
      expect(own.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, offset) => offset));
      expect(new Set(own.map(({ key }) => key))).toEqual(new Set([`key-${partition}`]));
    }
  });

  it('returns headers and bytes as they were, also empty, binary and malformed ones', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver);
    const values = [
      new Uint8Array(0),
      new Uint8Array([0, 0, 255, 128, 0]),
      Buffer.from('{"broken": '),
      Buffer.alloc(200_000, 7),
    ];
    const headers = { ce_type: 'document.created', 'x-título': 'naïve – 文書 🚀', empty: '' };
    await driver.publish(values.map((value) => ({ ...record(topic, value), headers })));
    const { sink } = await join(await connect(), topic, freshGroup());
    await eventually('all records arrive', () => sink.records.length === values.length);
    expect(sink.records.map(({ value }) => Buffer.from(value))).toEqual(values.map((value) => Buffer.from(value)));
    for (const delivered of sink.records) expect(delivered.headers).toMatchObject(headers);
  });

  logLimits(bus, connect);
  logReaders(connect);
}

function logLimits(bus: BusUnderTest, connect: Connect): void {
  it('refuses an oversized record alone', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver);
    const batch = [record(topic, 'before'), record(topic, new Uint8Array(bus.oversizedBytes)), record(topic, 'after')];
    const [before, oversized, after] = await driver.publish(batch);
    expect(oversized).toMatchObject({ error: { code: 'EVENT.TOO_LARGE' } });
    expect([before, after]).toEqual([
      { partition: 0, offset: 0 },
      { partition: 0, offset: 1 },
    ]);
    const { sink } = await join(driver, topic, freshGroup());
    await eventually('the others arrive', () => sink.records.length === 2);
    expect(sink.values()).toEqual(['before', 'after']);
  });

  it('leaves no gap between concurrent publishers', async () => {
    const [first, second] = [await connect(), await connect()];
    const topic = await freshTopic(first, 2);
    const publishers = Array.from({ length: 8 }, async (_, publisher) => {
      const driver = publisher % 2 === 0 ? first : second;
      if (driver === second) await driver.provision([{ name: topic, partitions: 2, retentionHours: 24 }]);
      const offsets: number[][] = [[], []];
      for (let sent = 0; sent < 200; sent += 10) {
        const outcomes = await driver.publish(numbered(topic, 10, 2, `${publisher}-${sent}-`));
        for (const partition of [0, 1])
          offsets[partition]!.push(...offsetsOf(outcomes.filter((_, i) => i % 2 === partition)));
      }
      return offsets;
    });
    const written = await Promise.all(publishers);
    const { sink } = await join(second, topic, freshGroup());
    await eventually('all records arrive', () => sink.records.length >= 1_600);
    for (const partition of [0, 1]) {
      const expected = Array.from({ length: 800 }, (_, offset) => offset);
      expect(written.flatMap((offsets) => offsets[partition]!).toSorted((a, b) => a - b)).toEqual(expected);
      expect(sink.records.filter((r) => r.partition === partition).map(({ offset }) => offset)).toEqual(expected);
    }
  });
}

function logReaders(connect: Connect): void {
  it('starts a late group at the beginning, and keeps groups apart', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const early = await joinCommitting(driver, topic, freshGroup());
    await driver.publish(numbered(topic, 20, 2));
    await eventually('the early group reads', () => early.sink.records.length === 20);
    const late = await join(driver, topic, freshGroup());
    await eventually('the late group reads the same', () => late.sink.records.length === 20);
    expect(late.sink.values().toSorted()).toEqual(early.sink.values().toSorted());
  });

  it('provisions the same topics from several drivers at once', async () => {
    const drivers = await Promise.all([connect(), connect(), connect()]);
    const topic = await freshTopic(drivers[0]!, 4);
    const more = [topic, `${topic}.x`, `${topic}.y`].map((name) => ({ name, partitions: 4, retentionHours: 24 }));
    await Promise.all(drivers.map((driver, i) => driver.provision(i === 1 ? more.toReversed() : more)));
    expect(drivers.map((driver) => driver.partitionsOf(`${topic}.y`))).toEqual([4, 4, 4]);
  });
}
