import { createReadStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobStore, asStorageError, makingFolder, notFound, verified, type StagedBlob } from './blob-store.js';

const INCOMING = 'incoming';
const PIECE_BYTES = 64 * 1024;

/** Blobs as files in a folder: written aside on the same disk, synced and renamed. */
export class FolderBlobStore extends BlobStore {
  constructor(private readonly root: string) {
    super(join(root, INCOMING));
  }

  async publish(tenant: string, { path, key }: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    const target = this.#pathOf(tenant, key);
    try {
      await makingFolder(target, () => rename(path, target));
    } catch (error) {
      const isRenamed = (await stat(target).catch(() => undefined)) !== undefined;
      if (!isRenamed) asStorageError(error);
    }
  }

  async size(tenant: string, key: string): Promise<number> {
    return (await stat(this.#pathOf(tenant, key)).catch(asBlobError)).size;
  }

  async *read(tenant: string, key: string): AsyncGenerator<Buffer> {
    const file = createReadStream(this.#pathOf(tenant, key), { highWaterMark: PIECE_BYTES });
    try {
      yield* verified(file as AsyncIterable<Buffer>, key);
    } catch (error) {
      asBlobError(error);
    }
  }

  withFile<T>(tenant: string, key: string, use: (path: string) => Promise<T>): Promise<T> {
    return use(this.#pathOf(tenant, key));
  }

  async remove(tenant: string, key: string): Promise<boolean> {
    const path = this.#pathOf(tenant, key);
    const existed = (await stat(path).catch(() => undefined)) !== undefined;
    await rm(path, { force: true });
    return existed;
  }

  async *list(): AsyncGenerator<{ tenant: string; key: string }> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || entry.parentPath.endsWith(INCOMING)) continue;
      yield { tenant: decodeURIComponent(entry.parentPath.split('/').at(-2)!), key: entry.name };
    }
  }

  #pathOf(tenant: string, key: string): string {
    return join(this.root, encodeURIComponent(tenant), key.slice(0, 2), key);
  }
}

function asBlobError(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(error);
  return asStorageError(error);
}
