import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ServiceName } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { ApiClient } from '../../standalone/test/api-client.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import { BareMesh } from './bare-mesh.js';
import { startCallers } from './caller-load.js';
import { ReadyFront, targetOf } from './ready-front.js';
import type { ServiceCopy } from './service-copy.js';

const WORKERS = 6;
const COPIES = 2;
const SINGLE = ['model', 'vector', 'knowledge', 'generation'] as const;
/** Restarted in this order. The embedded vector store lives in one process, so `vector` has no copies here. */
const DOUBLE = ['retrieval', 'embedding', 'document', 'gateway'] as const;

let dataDir: string;
let mesh: BareMesh;
let front: ReadyFront;
const copies = new Map<ServiceName, ServiceCopy[]>();

beforeAll(async () => {
  dataDir = await newDataDir();
  mesh = await BareMesh.open(dataDir, { SHUTDOWN_GRACE_SECONDS: '2' }, COPIES);
  front = await ReadyFront.start();
  for (const service of SINGLE) await mesh.start(service);
  for (const service of DOUBLE) {
    copies.set(service, await Promise.all(Array.from({ length: COPIES }, (_, copy) => mesh.start(service, copy))));
  }
  for (const gateway of copies.get('gateway')!) front.add(targetOf(gateway));
});
afterAll(async () => {
  front.close();
  await mesh.close();
  await removeDataDir(dataDir);
});

/** Ends one copy in order and starts it again, as a rolling update does. */
async function restart(service: ServiceName, copy: number): Promise<number | NodeJS.Signals> {
  const running = copies.get(service)!;
  const old = running[copy]!;
  const code = await old.stop();
  if (service === 'gateway') front.remove(targetOf(old));
  running[copy] = await mesh.start(service, copy);
  if (service === 'gateway') front.add(targetOf(running[copy]));
  return code;
}

describe('a rolling restart of two copies', () => {
  it('fails no request and leaves no document behind, though every copy is replaced under load', async () => {
    const api = new ApiClient(front.url);
    const { body } = await api.upload({ text: 'Notice period 0 is thirty days.' });
    await api.terminal(String(body['id']));
    const ends: unknown[] = [];
    const callers = startCallers(api, WORKERS, 5);
    for (const service of DOUBLE) for (let copy = 0; copy < COPIES; copy += 1) ends.push(await restart(service, copy));
    const { answered, failures, accepted } = await callers.end();
    expect(failures).toEqual([]);
    expect(ends).toEqual(DOUBLE.flatMap(() => [0, 0]));
    expect(answered).toBeGreaterThan(100);
    expect(accepted.length).toBeGreaterThan(answered / 10);
    for (const id of accepted) expect(await api.terminal(id)).toMatchObject({ id, status: 'ready' });
    const unfinished = async (): Promise<unknown> =>
      (await api.call('GET', '/v1/documents?status=processing&limit=1')).body['data'];
    await eventually('no document is left', async () => ((await unfinished()) as unknown[]).length === 0);
    expect((await api.call('GET', '/v1/documents?status=failed')).body['data']).toEqual([]);
  }, 300_000);
});
