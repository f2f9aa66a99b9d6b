import { afterEach, describe, expect, it } from '@jest/globals';
import type { Connect } from './bus-conformance.js';
import { eventually } from '../eventually.js';
import { freshGroup, freshTopic, type BusUnderTest } from './bus-fixture.js';
import { MemberProcess } from './member-process.js';
import { join, joinCommitting, numbered, record } from './recording-sink.js';

/** What holds when processes die or freeze and when the broker goes away. */
export function faultConformance(bus: BusUnderTest, connect: Connect): void {
  if (bus.driverModule) memberFaults(bus, connect);
  const restartBroker = bus.restartBroker;
  if (!restartBroker) return;

  it('goes on by itself after a restart of the broker, without losing an accepted record', async () => {
    const driver = await connect();
    const topic = await freshTopic(driver, 2);
    const { sink } = await joinCommitting(driver, topic, freshGroup());
    const accepted: string[] = [];
    let restarted = false;
    const publishing = (async () => {
      for (let sent = 0; !restarted || sent % 50 !== 0; sent += 1) {
        const outcome = await driver.publish([record(topic, `${sent}`, sent % 2)]).catch(() => undefined);
        if (outcome) accepted.push(`${sent}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await eventually('records flow', () => sink.records.length > 20);
    await restartBroker();
    await eventually('publishing works again', () =>
      driver.publish([record(topic, 'again')]).then(
        () => true,
        () => false,
      ),
    );
    restarted = true;
    await publishing;
    await eventually('every accepted record arrives', () => {
      const read = new Set(sink.values());
      return read.has('again') && accepted.every((value) => read.has(value));
    });
  });
}

function memberFaults(bus: BusUnderTest, connect: Connect): void {
  describe('with members in processes of their own', () => {
    const processes: MemberProcess[] = [];
    const startMember = async (topic: string, group: string) => {
      const member = MemberProcess.start(bus, topic, group);
      processes.push(member);
      await eventually('the process joins', () => member.joined());
      return member;
    };
    afterEach(async () => {
      await Promise.all(processes.splice(0).map((member) => member.kill()));
    });

    it('hears at once what another process publishes', async () => {
      const driver = await connect();
      const topic = await freshTopic(driver);
      const member = await startMember(topic, freshGroup());
      await driver.publish([record(topic, 'hello')]);
      await eventually('the process reads', () => member.values().includes('hello'));
    });

    it('redelivers to the next member what a crashed one had not committed', async () => {
      const driver = await connect();
      const [topic, group] = [await freshTopic(driver), freshGroup()];
      const member = await startMember(topic, group);
      await driver.publish(numbered(topic, 10));
      await eventually('the process reads', () => member.values().length === 10);
      member.commit(0, 3);
      await eventually('the process commits', () => member.committed());
      await member.kill();
      const { sink } = await join(driver, topic, group);
      await eventually('the rest is delivered again', () => sink.records.length === 7, bus.takeoverMs);
      expect(sink.values()).toEqual(['3', '4', '5', '6', '7', '8', '9']);
    });

    it('fences a member that was frozen past its lease', async () => {
      const driver = await connect();
      const [topic, group] = [await freshTopic(driver), freshGroup()];
      const frozen = await startMember(topic, group);
      await driver.publish(numbered(topic, 5));
      await eventually('the process reads', () => frozen.values().length === 5);
      frozen.freeze();
      const heir = await join(driver, topic, group);
      await eventually('its partition moves', () => heir.sink.records.length === 5, bus.takeoverMs);
      await heir.subscription.commit([{ topic, partition: 0, offset: 2 }]);
      frozen.commit(0, 5);
      frozen.thaw();
      await eventually('the frozen member lets go', () => frozen.committed() && frozen.revoked().includes(0));
      await driver.publish([record(topic, 'after')]);
      const goesOn = () => [...heir.sink.values(), ...frozen.values()].includes('after');
      await eventually('whose the partition is now goes on', goesOn);
      // It may have been given the partition again: then from where the heir stands.
      expect([[], ['2', '3', '4', 'after']]).toContainEqual(frozen.values().slice(5));
      await Promise.all([heir.subscription.close(), frozen.kill()]);
      const { sink } = await join(driver, topic, group);
      await eventually('the position is the heir’s', () => sink.records.length >= 4, bus.takeoverMs);
      expect(sink.values()).toEqual(['2', '3', '4', 'after']);
    });
  });
}
