import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, seeded } from '@ragmesh/testing';
import { AcceptedWork } from './accepted-work.js';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

const KILLS = 100;
const DOCUMENTS = 50;
/** Longest life of a process that is ready. */
const LONGEST_READY_MS = 800;

const random = seeded(20_261);
const idOf = (number: number): string => `document-${number}`;

let dataDir: string;
beforeAll(async () => void (dataDir = await newDataDir()));
afterAll(() => removeDataDir(dataDir));

/** One caller's change to one of the documents; a dead process answers nothing, which is no promise. */
async function change(api: ApiClient, accepted: AcceptedWork): Promise<void> {
  const id = idOf(Math.floor(random() * DOCUMENTS));
  const dice = random();
  const body = { text: `Version ${random()} of ${id}. `.repeat(40) };
  if (dice < 0.25 && accepted.has(id)) {
    await accepted.deletion(id, () => api.call('DELETE', `/v1/documents/${id}`));
    return;
  }
  await accepted.upload(id, () => api.call('PUT', `/v1/documents/${id}`, body));
}

/** Of a second start, with all databases there. */
async function timeToStart(): Promise<number> {
  await (await MeshProcess.start(dataDir)).stop();
  const begin = performance.now();
  const mesh = await MeshProcess.start(dataDir);
  const milliseconds = performance.now() - begin;
  await mesh.kill();
  return milliseconds;
}

/** Dies some time after its spawn, often in the middle of what it has to recover. @returns it, if it was ready before. */
const startDoomed = (startMs: number): Promise<MeshProcess | undefined> =>
  MeshProcess.start(dataDir, { dieAfterMs: random() * (startMs + LONGEST_READY_MS) }).catch(() => undefined);

/** Dies some time after it was ready: however slow starts are here, callers have their turn. */
async function startReady(): Promise<MeshProcess> {
  const mesh = await MeshProcess.start(dataDir);
  setTimeout(() => void mesh.kill(), random() * LONGEST_READY_MS);
  return mesh;
}

interface Letter {
  readonly code: string;
}

/** What waits in the dead letters. */
async function lettersOf({ api }: Mesh): Promise<Letter[]> {
  return (await api.call('GET', '/v1/admin/dead-letters?limit=100')).body['data'] as Letter[];
}

describe('a process killed at random moments', () => {
  it(`keeps every promise through ${KILLS} kills`, async () => {
    const accepted = new AcceptedWork();
    let startMs = await timeToStart();
    for (let round = 0; round < KILLS; round += 1) {
      const begin = performance.now();
      const mesh = round % 4 === 0 ? await startReady() : await startDoomed(startMs);
      if (!mesh) continue;
      startMs = performance.now() - begin;
      const api = new ApiClient(mesh.url);
      while (mesh.isRunning)
        await Promise.all(Array.from({ length: 4 }, () => change(api, accepted).catch(() => undefined)));
    }
    expect(accepted.size).toBeGreaterThan(DOCUMENTS / 2);
    const mesh = await startMesh(dataDir);
    try {
      expect(await mesh.oracle.violations()).toEqual([]);
      expect(await accepted.broken(mesh.api)).toEqual([]);
      const letters = await lettersOf(mesh);
      // Three kills from outside cannot be told from an event that kills. Nothing else may be given up, nor many of these.
      expect(letters.filter(({ code }) => code !== 'EVENT.CRASHED_PROCESS')).toEqual([]);
      expect(letters.length).toBeLessThanOrEqual(KILLS / 10);
      await mesh.api.call('POST', '/v1/admin/dead-letters/replay', { reason: 'EVENT.CRASHED_PROCESS' });
      await eventually('no letter is left', async () => (await lettersOf(mesh)).length === 0);
      expect(await mesh.oracle.violations()).toEqual([]);
      const { body } = await mesh.api.call('GET', '/v1/documents?status=failed');
      expect(body['data']).toEqual([]);
    } finally {
      await mesh.close();
    }
  }, 3_000_000);
});
