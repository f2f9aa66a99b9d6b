import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { blobNamed, tenantPart } from './blob-name.js';
import {
  BlobStore,
  PRIVATE_FOLDER,
  asStorageError,
  makingFolder,
  notFound,
  verified,
  type StagedBlob,
} from './blob-store.js';
import { syncFolder } from './sync-folder.js';

const PIECE_BYTES = 64 * 1024;

/** Blobs as files `<tenant>/<xx>/<sha256>` in a folder: written aside on the same disk, synced, renamed, and their folder synced. */
export class FolderBlobStore extends BlobStore {
  /** Folders that are not on disk yet: nothing in them is, either. */
  readonly #making = new Map<string, Promise<void>>();

  constructor(private readonly root: string) {
    super(root);
  }

  async publish(tenant: string, { path, key }: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    const target = this.#pathOf(tenant, key);
    const folder = dirname(target);
    try {
      await makingFolder(
        target,
        () => rename(path, target),
        () => this.#make(folder),
      );
    } catch (error) {
      const isRenamed = (await stat(target).catch(() => undefined)) !== undefined;
      if (!isRenamed) asStorageError(error);
    }
    await Promise.all([this.#making.get(folder), syncFolder(folder)]).catch(asStorageError);
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
      const path = join(entry.parentPath, entry.name);
      const [part, , key] = relative(this.root, path).split(sep);
      const blob = blobNamed(part, key);
      if (entry.isFile() && blob && path === this.#pathOf(blob.tenant, blob.key)) yield blob;
    }
  }

  #make(folder: string): Promise<void> {
    const making = this.#making.get(folder) ?? this.#makeSynced(folder).finally(() => this.#making.delete(folder));
    this.#making.set(folder, making);
    return making;
  }

  async #makeSynced(folder: string): Promise<void> {
    const parent = dirname(folder);
    await makingFolder(
      folder,
      () => mkdir(folder, PRIVATE_FOLDER).catch(unlessThere),
      () => this.#make(parent),
    );
    await Promise.all([this.#making.get(parent), syncFolder(parent)]);
    if (parent === this.root) await syncFolder(dirname(parent)); // staging made the root, and did not sync it
  }

  #pathOf(tenant: string, key: string): string {
    return join(this.root, tenantPart(tenant), key.slice(0, 2), key);
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function asBlobError(error: unknown): never {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(error);
  return asStorageError(error);
}
