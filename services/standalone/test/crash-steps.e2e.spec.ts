import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir, startMesh } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

const MOST_STEPS = 200;
const text = (word: string): string => `The ${word} of the mesh. `.repeat(60);

let dataDir: string;
beforeAll(async () => void (dataDir = await newDataDir()));
afterAll(() => removeDataDir(dataDir));

/** Uploads, updates and deletes; stops at the first call that finds the process dead. @returns ids that were accepted. */
async function liveThrough(api: ApiClient, name: string): Promise<string[]> {
  const accepted: string[] = [];
  try {
    for (const id of [`${name}-kept`, `${name}-gone`]) {
      if ((await api.upload({ id, text: text(id) })).status === 202) accepted.push(id);
    }
    for (const id of accepted) await api.terminal(id);
    await api.call('PUT', `/v1/documents/${name}-kept`, { text: text('update') });
    await api.call('DELETE', `/v1/documents/${name}-gone`);
    await api.terminal(`${name}-kept`);
  } catch {
    // the process died, as it was told to
  }
  return accepted;
}

describe('a process killed at each commit and publish step', () => {
  it('loses and doubles nothing', async () => {
    const accepted: string[] = [];
    let step = 1;
    for (; step <= MOST_STEPS; step += 1) {
      const mesh = await MeshProcess.start(dataDir, step);
      if (!mesh) continue;
      accepted.push(...(await liveThrough(new ApiClient(mesh.url), `step-${step}`)));
      if (mesh.isRunning) {
        await mesh.kill();
        break; // it lived through everything: there is no further step
      }
    }
    expect(step).toBeLessThan(MOST_STEPS);
    const mesh = await startMesh(dataDir);
    try {
      expect(await mesh.oracle.violations()).toEqual([]);
      for (const id of accepted.filter((each) => each.endsWith('-kept'))) expect((await mesh.api.terminal(id)).status).toBe('ready');
    } finally {
      await mesh.close();
    }
  }, 600_000);
});
