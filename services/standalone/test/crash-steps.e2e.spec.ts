import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@ragmesh/testing';
import { AcceptedWork } from './accepted-work.js';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

/** An ingestion, an update and a deletion commit and publish more often than this. */
const LEAST_STEPS = 30;
const MOST_STEPS = 200;
const text = (word: string): string => `The ${word} of the mesh. `.repeat(60);

let dataDir: string;
beforeAll(async () => void (dataDir = await newDataDir()));
afterAll(() => removeDataDir(dataDir));

/** Uploads, updates and deletes one document, until the process dies. @returns whether it lived through all of it. */
async function liveThrough(mesh: MeshProcess, id: string, accepted: AcceptedWork): Promise<boolean> {
  const api = new ApiClient(mesh.url);
  try {
    await accepted.upload(id, () => api.upload({ id, text: text('first') }));
    await api.terminal(id);
    await accepted.upload(id, () => api.call('PUT', `/v1/documents/${id}`, { text: text('second') }));
    await api.terminal(id);
    const { body } = await accepted.deletion(id, () => api.call('DELETE', `/v1/documents/${id}`));
    const { href } = body['operation'] as { href: string };
    await eventually(`${href} is done`, async () => (await api.call('GET', href)).body['done']);
    return true;
  } catch (error) {
    await Promise.race([mesh.ended(), delay(5_000)]);
    if (mesh.isRunning) throw error; // it was told to die; whatever else went wrong is a finding
    return false;
  }
}

describe('a process killed at each commit and publish step', () => {
  it('loses and doubles nothing', async () => {
    const accepted = new AcceptedWork();
    let step = 1;
    for (; step <= MOST_STEPS; step += 1) {
      const mesh = await MeshProcess.start(dataDir, { crashAt: step });
      const lived = await liveThrough(mesh, `step-${step}`, accepted);
      await mesh.kill();
      if (lived) break; // there is no further step
    }
    expect(step).toBeGreaterThan(LEAST_STEPS);
    expect(step).toBeLessThan(MOST_STEPS);
    const mesh = await startMesh(dataDir);
    try {
      expect(await mesh.oracle.violations()).toEqual([]);
      expect(accepted.size).toBeGreaterThan(LEAST_STEPS / 2);
      expect(await accepted.broken(mesh.api)).toEqual([]);
    } finally {
      await mesh.close();
    }
  }, 3_000_000);
});
