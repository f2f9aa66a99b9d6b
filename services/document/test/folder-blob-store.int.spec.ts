import { expect, it } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { blobStoreSuite } from './blob-store-suite.js';

blobStoreSuite('a folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ragmesh-blobs-'));
  return {
    store: new FolderBlobStore(root),
    incoming: join(root, 'incoming'),
    another: () => new FolderBlobStore(root),
    damage: async (tenant, key) => {
      const path = join(root, encodeURIComponent(tenant), key.slice(0, 2), key);
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await chmod(path, 0o600);
      await writeFile(path, bytes);
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});

it('lists nothing of a folder that is not there yet', async () => {
  const store = new FolderBlobStore(join(tmpdir(), 'ragmesh-blobs-never-made'));
  expect((await store.list().next()).done).toBe(true);
});
