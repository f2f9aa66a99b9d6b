import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startFaultyStandalone, type FaultyStandalone } from './faulty-standalone.js';
import { violationsAfterCollection } from './kept-promises.js';

let mesh: FaultyStandalone;
beforeAll(async () => void (mesh = await startFaultyStandalone()));
afterAll(() => mesh?.close());

it('an upload whose commit fails after its bytes were stored leaves no blob behind', async () => {
  let failures = 0;
  mesh.faults.statement = (service, text) => {
    if (service !== 'document' || failures > 0 || !text.includes('INSERT INTO document_version')) return;
    failures += 1;
    throw new Error('The connection is gone');
  };
  const refused = await mesh.api.upload({ text: 'Words that are never kept.' });
  expect(refused.status).toBeGreaterThanOrEqual(500);
  expect(failures).toBe(1);
  const { body } = await mesh.api.upload({ text: 'Words that are kept.' });
  expect((await mesh.api.terminal(String(body['id']))).status).toBe('ready');
  expect(await violationsAfterCollection(mesh.oracle)).toEqual([]);
});
