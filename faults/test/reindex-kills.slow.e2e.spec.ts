import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, seeded } from '@ragmesh/testing';
import { ApiClient } from '../../services/standalone/test/api-client.js';
import { newDataDir, removeDataDir, startMesh } from '../../services/standalone/test/mesh-fixture.js';
import { MeshProcess } from '../../services/standalone/test/mesh-process.js';

const KILLS = 40;
const DOCUMENTS = 20;
const LONGEST_LIFE_MS = 5_000;
const COLLECTION = '/v1/collections/default';
/** Two documents at a time make a reindex last longer than a life; what readers had before goes at once. */
const settings = {
  REINDEX_IN_FLIGHT: '2',
  REINDEX_MIN_OVERLAP: '0',
  REINDEX_MIN_SELF_RETRIEVAL: '0',
  REINDEX_KEEP_PREVIOUS: '0s',
};

type Generation = Readonly<{ id: number; state: string; error: unknown }>;

const random = seeded(20_262);
const idOf = (number: number): string => `document-${number}`;
const textOf = (id: string): string => `Sentence ${random()} of ${id} about the lake. `.repeat(40);

const generationsOf = async (api: ApiClient): Promise<Generation[]> =>
  (await api.call('GET', `${COLLECTION}/generations`)).body['data'] as Generation[];

let dataDir: string;
beforeAll(async () => {
  dataDir = await newDataDir();
  const mesh = await MeshProcess.start(dataDir, { settings });
  const api = new ApiClient(mesh.url);
  for (let number = 0; number < DOCUMENTS; number += 1)
    await api.upload({ id: idOf(number), text: textOf(idOf(number)) });
  for (let number = 0; number < DOCUMENTS; number += 1) await api.terminal(idOf(number));
  await mesh.stop();
});
afterAll(() => removeDataDir(dataDir));

/** Changes a document and begins another reindex unless one runs. @returns whether it began one. */
async function live(api: ApiClient): Promise<boolean> {
  const id = idOf(Math.floor(random() * DOCUMENTS));
  const begun = await api.call('POST', `${COLLECTION}/reindex`, { chunk_size: 32 + Math.floor(random() * 64) });
  if (![202, 409].includes(begun.status)) throw new Error(JSON.stringify(begun));
  await api.call('PUT', `/v1/documents/${id}`, { text: textOf(id) });
  await delay(100);
  return begun.status === 202;
}

describe('a process killed while an index is made anew', () => {
  it('has one whole index in the end, and can make the next', async () => {
    let reindexes = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const dieAfterMs = random() * LONGEST_LIFE_MS;
      // One that dies before it is ready has died in the middle of taking up what the last one left.
      const mesh = await MeshProcess.start(dataDir, { dieAfterMs, settings }).catch(() => undefined); // it died before it was ready
      if (!mesh) continue;
      const api = new ApiClient(mesh.url);
      while (mesh.isRunning) {
        const hasBegun = await live(api).catch((error: unknown) => {
          if (mesh.isRunning && !String(error).includes('fetch failed')) throw error;
          return false;
        });
        if (hasBegun) reindexes += 1;
      }
    }
    expect(reindexes).toBeGreaterThan(2);
    const mesh = await startMesh(dataDir, { environment: settings });
    try {
      const one = async (): Promise<boolean> => (await generationsOf(mesh.api)).every(({ state }) => state === 'live');
      await eventually('nothing but one generation is left', one);
      const [before] = await generationsOf(mesh.api);
      await eventually('the oracle holds', async () => (await mesh.oracle.violations()).length === 0);
      const last = await mesh.api.call('POST', `${COLLECTION}/reindex`, { chunk_size: 48 });
      expect(last.status).toBe(202);
      await eventually('the next is made', async () => (await generationsOf(mesh.api))[0]?.id !== before!.id);
      await eventually('and is the only one', one);
      await eventually('the oracle holds again', async () => (await mesh.oracle.violations()).length === 0);
      expect((await mesh.api.call('GET', '/v1/documents?status=failed')).body['data']).toEqual([]);
    } finally {
      await mesh.close();
    }
  }, 600_000);
});
