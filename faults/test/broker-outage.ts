import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { describeWithServer, eventually } from '@ragmesh/testing';
import { startEightOnServers, type EightOnServers } from './eight-on-servers.js';

/** What a process may gain while its events cannot leave, in MiB; its heap breathes more than a few events weigh. */
const GROWTH_MIB = 150;
/** What is promised from the return of the broker until everything that waited is done. */
const DRAINED_MS = 15_000;
/** What a machine on which all of this runs beside other specs may take longer. */
const BUSY_MS = 15_000;
/** What takes a document in, and must stay ready for it. */
const INGESTING: readonly ServiceName[] = ['document', 'embedding', 'vector'];
/** Somebody moves these elsewhere while the broker is away: what an upload, a search and the edge need. */
const MOVED: readonly ServiceName[] = ['gateway', 'document', 'retrieval', 'vector'];

const residentMib = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;

/** Eight processes whose broker is away for so long while documents come in. */
export function brokerOutage(seconds: number): void {
  describeWithServer('kafka', `eight processes without their broker for ${seconds} s`, () => {
    let eight: EightOnServers;
    beforeAll(async () => void (eight = await startEightOnServers({ kafka: true })), 240_000);
    afterAll(() => eight?.close());

    it('take uploads all the time, and have done everything soon after it is back', async () => {
      const { api, servers } = eight;
      const [broker] = servers.kafka!.nodes;
      await api.terminal(String((await api.upload({ text: 'Before the outage.' })).body['id']));
      const pids = pidsOf(eight);
      const before = pids.map(residentMib);
      await broker!.kill();
      const atFirst = await figureOf(eight, 'ragmesh_outbox_oldest_seconds');
      const ids: string[] = [];
      const upload = async (): Promise<void> => {
        const { status, body } = await api.upload({ text: `Document ${ids.length} of the outage.` });
        expect({ status, body }).toMatchObject({ status: 202 });
        ids.push(String(body['id']));
      };
      const away = performance.now() + seconds * 1000;
      do {
        await upload();
        expect((await api.call('GET', '/readyz')).status).toBe(200);
        expect(await readinessOf(eight, INGESTING)).toEqual(INGESTING.map(() => 200));
        await delay(250);
      } while (performance.now() < away);
      const pending = async (): Promise<boolean> => (await figureOf(eight, 'ragmesh_outbox_pending')) > 0;
      await eventually('the waiting events are seen', pending);
      const isOlder = async (): Promise<boolean> =>
        (await figureOf(eight, 'ragmesh_outbox_oldest_seconds')) > atFirst + seconds / 2;
      await eventually('so is how long the oldest of them waits', isOlder);
      expect(pidsOf(eight)).toEqual(pids);
      for (const [index, pid] of pids.entries()) expect(residentMib(pid) - before[index]!).toBeLessThan(GROWTH_MIB);
      await killAndAwait(eight, MOVED);
      const moved = pidsOf(eight);
      await upload();
      const { status, body } = await api.call('POST', '/v1/search', { query: 'outage' });
      expect({ status, body }).toMatchObject({ status: 200, body: { results: [{ text: 'Before the outage.' }] } });
      await broker!.start();
      const back = performance.now();
      for (const id of ids) expect((await api.terminal(id, 120_000)).status).toBe('ready');
      expect(performance.now() - back).toBeLessThan(DRAINED_MS + BUSY_MS);
      expect(await eight.oracle.violations()).toEqual([]);
      expect(pidsOf(eight)).toEqual(moved);
    }, 420_000);
  });
}

const pidsOf = ({ mesh }: EightOnServers): number[] => serviceNames.map((name) => mesh.supervisor.service(name).pid!);

/** Kills these processes; resolves once others answer in their place. */
async function killAndAwait(eight: EightOnServers, names: readonly ServiceName[]): Promise<void> {
  const services = names.map((name) => eight.mesh.supervisor.service(name));
  const killed = services.map(({ pid }) => pid!);
  for (const pid of killed) process.kill(pid, 'SIGKILL');
  const areBack = (): boolean => services.every(({ pid, isReady }, at) => isReady && pid !== killed[at]);
  await eventually('they are back without their broker', areBack);
  expect(await readinessOf(eight, names)).toEqual(names.map(() => 200));
}

/** Where a service's probes listen: where its environment says. */
function probeUrl({ mesh }: EightOnServers, name: ServiceName): string {
  const environment = readFileSync(`/proc/${mesh.supervisor.service(name).pid}/environ`, 'utf8').split('\0');
  return `http://127.0.0.1:${environment.find((each) => each.startsWith('PROBE_PORT='))!.slice('PROBE_PORT='.length)}`;
}

const readinessOf = (eight: EightOnServers, names: readonly ServiceName[]): Promise<number[]> =>
  Promise.all(names.map(async (name) => (await fetch(`${probeUrl(eight, name)}/readyz`)).status));

/** A figure of the document service's outbox. */
async function figureOf(eight: EightOnServers, name: string): Promise<number> {
  const text = await (await fetch(`${probeUrl(eight, 'document')}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
}
