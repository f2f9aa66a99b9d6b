import { expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { existsSync, readlinkSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, readdir, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { blobStoreSuite } from './blob-store-suite.js';

blobStoreSuite('a folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ragmesh-blobs-'));
  return {
    store: new FolderBlobStore(root),
    incoming: join(root, '.incoming'),
    another: () => new FolderBlobStore(root),
    damage: async (tenant, key) => {
      const path = join(root, encodeURIComponent(tenant), key.slice(0, 2), key);
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await chmod(path, 0o600);
      await writeFile(path, bytes);
    },
    litter: async (name) => {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), 'x');
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
});

it('is readable by nobody else on the machine, also when an earlier release made its folder', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ragmesh-blobs-'));
  await chmod(root, 0o755);
  const store = new FolderBlobStore(root);
  await store.clearIncoming();
  const blob = await store.stage(Readable.from([Buffer.from('Private words.')]), 100);
  await store.publish('acme', blob);
  const paths = [root, ...(await readdir(root, { recursive: true })).map((name) => join(root, name))];
  expect(paths.length).toBeGreaterThan(4);
  for (const path of paths) expect([path, (await stat(path)).mode & 0o077]).toEqual([path, 0]);
  await rm(root, { recursive: true });
});

it('lists nothing of a folder that is not there yet', async () => {
  const store = new FolderBlobStore(join(tmpdir(), 'ragmesh-blobs-never-made'));
  expect((await store.list().next()).done).toBe(true);
});

/** Paths that are synced while `work` runs, and whether `target` was there by then. */
async function syncedBy(
  target: () => string,
  work: () => Promise<unknown>,
): Promise<[path: string, isThere: boolean][]> {
  const synced: [string, boolean][] = [];
  const handle = await open(tmpdir());
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync = prototype.sync;
  const spy = jest.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    const path = readlinkSync(`/proc/self/fd/${this.fd}`);
    await sync.call(this);
    synced.push([path, existsSync(target())]);
  });
  await work().finally(() => spy.mockRestore());
  return synced;
}

it('has the name of a blob on disk when it is stored, with the folders that were made for it', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ragmesh-blobs-'));
  const store = new FolderBlobStore(root);
  const pathOf = (key: string) => join(root, 'acme', key.slice(0, 2), key);
  let target = '';
  const storing = async (): Promise<void> => {
    const staged = await store.stage([randomBytes(100)] as never, 1000);
    target = pathOf(staged.key);
    await store.publish('acme', staged);
  };
  const first = await syncedBy(() => target, storing);
  for (const folder of [join(root, 'acme'), root]) expect(first.map(([path]) => path)).toContain(folder);
  expect(first).toContainEqual([dirname(target), true]);

  const again = await store.stage([await readFile(target)] as never, 1000);
  expect(
    await syncedBy(
      () => target,
      () => store.publish('acme', again),
    ),
  ).toEqual([[dirname(target), true]]);
  await rm(root, { recursive: true, force: true });
});
