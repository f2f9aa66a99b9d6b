import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithServer } from '@ragmesh/testing';
import { startFuzzedMesh, type FuzzedMesh } from '../fuzz/fuzzed-mesh.js';
import { fuzz } from '../fuzz/schemathesis.js';

/** `npm run fuzz` takes longer, and other seeds. */
const SECONDS = 45;

describeWithServer('python-clients', 'requests made up from the OpenAPI document', () => {
  let mesh: FuzzedMesh;
  beforeAll(async () => void (mesh = await startFuzzedMesh()));
  afterAll(() => mesh?.close());

  it('meet no 5xx, no answer the document does not promise, and nobody who takes what it forbids', async () => {
    const { operations, requests, failures, errors, output } = await fuzz(mesh.url, {
      seconds: SECONDS,
      seed: 1,
      only: 'rest',
    });
    if (failures.length + errors.length > 0) throw new Error(output);
    expect(operations.tested).toBe(operations.selected);
    expect(operations.selected).toBe(operations.total - 1); // `npm run fuzz` tries that one, too, last
    expect(requests).toBeGreaterThan(operations.tested);
  }, 240_000);
});
