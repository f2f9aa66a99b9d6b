import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { serviceNames } from '@ragmesh/contracts';
import { describeWithServer, seeded } from '@ragmesh/testing';
import { AcceptedWork } from '../../services/standalone/test/accepted-work.js';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';

const KILLS = 100;
const DOCUMENTS = 50;
const CALLERS = 4;
/** Between two kills, in ms, at most. */
const LONGEST_PEACE = 3_000;

describeWithServer('kafka', `eight processes over Kafka, one of them killed ${KILLS} times`, () => {
  const random = seeded(45);
  const accepted = new AcceptedWork();
  let eight: EightOnServers;
  beforeAll(async () => {
    eight = await startEightOnServers({ kafka: true });
  }, 240_000);
  afterAll(() => eight?.close());

  /** One caller's change to one of the documents; a gateway that is dead promises nothing. */
  const change = async (): Promise<void> => {
    const id = `document-${Math.floor(random() * DOCUMENTS)}`;
    if (random() < 0.25 && accepted.has(id)) {
      await accepted.deletion(id, () => eight.api.call('DELETE', `/v1/documents/${id}`));
      return;
    }
    const text = `Version ${random()} of ${id}. `.repeat(40);
    await accepted.upload(id, () => eight.api.call('PUT', `/v1/documents/${id}`, { text }));
  };
  const letters = async (): Promise<{ code: string }[]> =>
    (await eight.api.call('GET', '/v1/admin/dead-letters?limit=100')).body['data'] as { code: string }[];

  it('loses nothing and does nothing twice', async () => {
    let killing = true;
    const callers = Array.from({ length: CALLERS }, async () => {
      while (killing) {
        await change().catch(() => undefined); // the gateway is among those killed
        await delay(20);
      }
    });
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(random() * LONGEST_PEACE);
      const { pid } = eight.mesh.supervisor.service(serviceNames[Math.floor(random() * serviceNames.length)]!);
      try {
        process.kill(pid!, 'SIGKILL');
      } catch {
        kill -= 1; // it is dead already and not back yet
      }
    }
    killing = false;
    await Promise.all(callers);
    expect(accepted.size).toBeGreaterThan(DOCUMENTS / 2);
    expect(await eight.oracle.violations()).toEqual([]);
    expect(await accepted.broken(eight.api)).toEqual([]);
    const given = await letters();
    // Three kills from outside cannot be told from an event that kills. Nothing else may be given up, nor many of these.
    expect(given.filter(({ code }) => code !== 'EVENT.CRASHED_PROCESS')).toEqual([]);
    expect(given.length).toBeLessThanOrEqual(KILLS / 10);
  }, 900_000);
});
