import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir } from './mesh-fixture.js';
import { MeshProcess } from './mesh-process.js';

const MIB = 1024 * 1024;

let dataDir: string;
let mesh: MeshProcess;
beforeAll(async () => {
  dataDir = await newDataDir();
  // PostgreSQL is started without the limit and found again, so that only what ragmesh itself writes is limited.
  await (await MeshProcess.start(dataDir)).kill();
  mesh = await MeshProcess.start(dataDir, { largestFile: MIB });
});
afterAll(async () => {
  await mesh.stop();
  await removeDataDir(dataDir);
});

describe('a disk without room', () => {
  it('refuses the upload with 507 and keeps nothing of it', async () => {
    const api = new ApiClient(mesh.url);
    const refused = await api.uploadFile('large.txt', Buffer.alloc(3 * MIB, 'a'));
    expect(refused).toMatchObject({ status: 507, body: { code: 'STORAGE.FULL', retryable: true } });
    const incoming = join(dataDir, 'blobs/.incoming');
    expect(existsSync(incoming) ? readdirSync(incoming) : []).toEqual([]);
    expect((await api.call('GET', '/v1/documents')).body['data']).toEqual([]);
  });

  it('goes on taking what fits', async () => {
    const api = new ApiClient(mesh.url);
    const { body } = await api.uploadFile('small.txt', Buffer.from('A small letter.'));
    expect((await api.terminal(body['id'] as string)).status).toBe('ready');
  });
});
