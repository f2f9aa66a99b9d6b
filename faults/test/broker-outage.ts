import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serviceNames } from '@ragmesh/contracts';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';

/** What a process may gain while its events cannot leave, in MiB; its heap breathes more than a few events weigh. */
const GROWTH_MIB = 150;

const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Eight processes whose broker is away for so long while documents come in. */
export function brokerOutage(seconds: number): void {
  describeWithServer('kafka', `eight processes without their broker for ${seconds} s`, () => {
    let eight: EightOnServers;
    beforeAll(async () => void (eight = await startEightOnServers({ kafka: true })), 240_000);
    afterAll(() => eight?.close());

    it('take uploads all the time, and have done everything soon after it is back', async () => {
      const { api, mesh, servers } = eight;
      const [broker] = servers.kafka!.nodes;
      await api.terminal(String((await api.upload({ text: 'Before the outage.' })).body['id']));
      const pids = serviceNames.map((name) => mesh.supervisor.service(name).pid!);
      const before = pids.map(residentMib);
      await broker!.kill();
      const atFirst = await figureOf(eight, 'ragmesh_outbox_oldest_seconds');
      const ids: string[] = [];
      const away = performance.now() + seconds * 1000;
      do {
        const { status, body } = await api.upload({ text: `Document ${ids.length} of the outage.` });
        expect({ status, body }).toMatchObject({ status: 202 });
        ids.push(String(body['id']));
        expect((await api.call('GET', '/readyz')).status).toBe(200);
        await delay(250);
      } while (performance.now() < away);
      const pending = async (): Promise<boolean> => (await figureOf(eight, 'ragmesh_outbox_pending')) > 0;
      await eventually('the waiting events are seen', pending);
      const isOlder = async (): Promise<boolean> =>
        (await figureOf(eight, 'ragmesh_outbox_oldest_seconds')) > atFirst + seconds / 2;
      await eventually('so is how long the oldest of them waits', isOlder);
      expect(serviceNames.map((name) => mesh.supervisor.service(name).pid)).toEqual(pids);
      for (const [index, pid] of pids.entries()) expect(residentMib(pid) - before[index]!).toBeLessThan(GROWTH_MIB);
      await broker!.start();
      for (const id of ids) expect((await api.terminal(id, 120_000)).status).toBe('ready');
      expect(await eight.oracle.violations()).toEqual([]);
      expect(serviceNames.map((name) => mesh.supervisor.service(name).pid)).toEqual(pids);
    }, 420_000);
  });
}

/** A figure of the document service's outbox; its probes listen where its environment says. */
async function figureOf({ mesh }: EightOnServers, name: string): Promise<number> {
  const environment = readFileSync(`/proc/${mesh.supervisor.service('document').pid}/environ`, 'utf8').split('\0');
  const port = environment.find((each) => each.startsWith('PROBE_PORT='))!.slice('PROBE_PORT='.length);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}
