import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

/** An ingestion alone commits and publishes more often than this. */
const LEAST_STEPS = 20;
const MOST_STEPS = 200;
const text = (word: string): string => `The ${word} of the mesh. `.repeat(60);

let dataDir: string;
beforeAll(async () => void (dataDir = await newDataDir()));
afterAll(() => removeDataDir(dataDir));

/** Uploads, updates and deletes; stops at the first call that finds the process dead. Notes what was accepted. */
async function liveThrough(mesh: MeshProcess, name: string, accepted: string[]): Promise<void> {
  const api = new ApiClient(mesh.url);
  const ids = [`${name}-kept`, `${name}-gone`];
  try {
    for (const id of ids) if ((await api.upload({ id, text: text(id) })).status === 202) accepted.push(id);
    for (const id of ids) await api.terminal(id);
    await api.call('PUT', `/v1/documents/${name}-kept`, { text: text('update') });
    await api.call('DELETE', `/v1/documents/${name}-gone`);
    await api.terminal(`${name}-kept`);
  } catch (error) {
    await Promise.race([mesh.ended(), delay(5_000)]);
    if (mesh.isRunning) throw error; // it was told to die; whatever else went wrong is a finding
  }
}

describe('a process killed at each commit and publish step', () => {
  it('loses and doubles nothing', async () => {
    const accepted: string[] = [];
    let step = 1;
    for (; step <= MOST_STEPS; step += 1) {
      const mesh = await MeshProcess.start(dataDir, step);
      await liveThrough(mesh, `step-${step}`, accepted);
      if (mesh.isRunning) {
        await mesh.kill();
        break; // it lived through everything: there is no further step
      }
    }
    expect(step).toBeGreaterThan(LEAST_STEPS);
    expect(step).toBeLessThan(MOST_STEPS);
    const mesh = await startMesh(dataDir);
    try {
      expect(await mesh.oracle.violations()).toEqual([]);
      for (const id of accepted.filter((each) => each.endsWith('-kept')))
        expect((await mesh.api.terminal(id)).status).toBe('ready');
    } finally {
      await mesh.close();
    }
  }, 600_000);
});
