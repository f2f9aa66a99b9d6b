import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '@ragmesh/testing';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

const KILLS = 100;
const DOCUMENTS = 50;
/** Longest life after a start as long as the latest. Many a process dies before, in the middle of what it has to recover. */
const LONGEST_READY_MS = 1_200;

const random = seeded(20_261);
const idOf = (number: number): string => `document-${number}`;

let dataDir: string;
beforeAll(async () => void (dataDir = await newDataDir()));
afterAll(() => removeDataDir(dataDir));

/** One caller's change to one of the documents; a dead process answers nothing, which is no promise. */
async function change(api: ApiClient, accepted: Set<string>): Promise<void> {
  const id = idOf(Math.floor(random() * DOCUMENTS));
  const dice = random();
  const body = { text: `Version ${random()} of ${id}. `.repeat(40) };
  if (dice < 0.25 && accepted.has(id)) {
    await api.call('DELETE', `/v1/documents/${id}`);
    return;
  }
  const { status } = await api.call('PUT', `/v1/documents/${id}`, body);
  if (status === 202) accepted.add(id);
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

interface Letter {
  readonly code: string;
}

/** What waits in the dead letters. */
async function lettersOf({ api }: Mesh): Promise<Letter[]> {
  return (await api.call('GET', '/v1/admin/dead-letters?limit=100')).body['data'] as Letter[];
}

describe('a process killed at random moments', () => {
  it(`keeps every promise through ${KILLS} kills`, async () => {
    const accepted = new Set<string>();
    let startMs = await timeToStart();
    for (let round = 0; round < KILLS; round += 1) {
      const dieAfterMs = random() * (startMs + LONGEST_READY_MS);
      const begin = performance.now();
      const mesh = await MeshProcess.start(dataDir, { dieAfterMs }).catch(() => undefined);
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
      const letters = await lettersOf(mesh);
      // Three kills from outside cannot be told from an event that kills. Nothing else may be given up, nor many of these.
      expect(letters.filter(({ code }) => code !== 'EVENT.CRASHED_PROCESS')).toEqual([]);
      expect(letters.length).toBeLessThanOrEqual(KILLS / 10);
      await mesh.api.call('POST', '/v1/admin/dead-letters/replay', { reason: 'EVENT.CRASHED_PROCESS' });
      const deadline = performance.now() + 60_000;
      while ((await lettersOf(mesh)).length > 0 && performance.now() < deadline) await delay(200);
      expect(await lettersOf(mesh)).toEqual([]);
      expect(await mesh.oracle.violations()).toEqual([]);
      const { body } = await mesh.api.call('GET', '/v1/documents?status=failed');
      expect(body['data']).toEqual([]);
    } finally {
      await mesh.close();
    }
  }, 900_000);
});
