import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithServer } from '@ragmesh/testing';
import {
  startFuzzedMesh,
  startGuardedFuzzedMesh,
  type FuzzedMesh,
  type GuardedFuzzedMesh,
} from '../fuzz/fuzzed-mesh.js';
import { fuzz } from '../fuzz/schemathesis.js';

/** `npm run fuzz` takes longer, and other seeds. */
const SECONDS = 45;
const GUARDED_SECONDS = 7;

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

describeWithServer('python-clients', 'requests made up with the key of a reader', () => {
  let mesh: GuardedFuzzedMesh;
  beforeAll(async () => void (mesh = await startGuardedFuzzedMesh()));
  afterAll(() => mesh?.close());

  it('are refused as the document promises: without a key, without the role, and once the quota is used up', async () => {
    const { url, readerKey: key } = mesh;
    const { requests, failures, errors, output } = await fuzz(url, {
      ...{ seconds: GUARDED_SECONDS, seed: 1, key },
      only: 'rest',
    });
    if (failures.length + errors.length > 0) throw new Error(output);
    expect(requests).toBeGreaterThan(0);
    const next = await fetch(`${url}/v1/documents`, { headers: { 'x-api-key': key } });
    expect(next.status).toBe(429); // so those before were refused so, too
  }, 120_000);
});
