import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Bytes that were written and hashed, and have no name yet. */
export interface StagedBlob {
  readonly path: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  /** First bytes, to tell the type by. */
  readonly head: Buffer;
}

const HEAD_BYTES = 4096;

/**
 * Content-addressed files in a folder, one tree per tenant. A blob appears whole or not at all: it is written aside, synced
 * and renamed.
 */
export class FolderBlobStore {
  constructor(private readonly root: string) {}

  /** Where the bytes of a key lie. */
  pathOf(tenant: string, key: string): string {
    return join(this.root, encodeURIComponent(tenant), key.slice(0, 2), key);
  }

  /** A place to write to that no key points at. */
  async temporaryPath(): Promise<string> {
    const folder = join(this.root, 'incoming');
    await mkdir(folder, { recursive: true });
    return join(folder, randomUUID());
  }

  /**
   * Writes a stream aside while hashing it. Nothing is left behind when it fails.
   * @throws RagmeshError DOCUMENT.TOO_LARGE above `maxBytes`, STORAGE.FULL.
   */
  async stage(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<StagedBlob> {
    const path = await this.temporaryPath().catch(asStorageError);
    const hash = createHash('sha256');
    const head: Buffer[] = [];
    let bytes = 0;
    try {
      const file = await open(path, 'wx');
      try {
        for await (const piece of source) {
          if (bytes < HEAD_BYTES) head.push(Buffer.from(piece.subarray(0, HEAD_BYTES - bytes)));
          bytes += piece.length;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          hash.update(piece);
          await file.writeFile(piece);
        }
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      return asStorageError(error);
    }
    const sha256 = hash.digest('hex');
    return { path, key: sha256, sha256, bytes, head: Buffer.concat(head) };
  }

  /** Gives staged bytes their name; the same bytes under the same name are kept as they are. */
  async publish(tenant: string, { path, key }: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    const target = this.pathOf(tenant, key);
    try {
      await mkdir(dirname(target), { recursive: true });
      await rename(path, target);
    } catch (error) {
      asStorageError(error);
    }
  }

  /** The bytes of a file that lies aside. */
  readStaged(path: string): Promise<Buffer> {
    return readFile(path);
  }

  /** Forgets bytes that were staged and not published. */
  async discard({ path }: Pick<StagedBlob, 'path'>): Promise<void> {
    await rm(path, { force: true });
  }

  /** @throws RagmeshError BLOB.NOT_FOUND. */
  async size(tenant: string, key: string): Promise<number> {
    const found = await stat(this.pathOf(tenant, key)).catch(() => undefined);
    if (!found) throw new RagmeshError('BLOB.NOT_FOUND', 'The stored content of this document is missing.');
    return found.size;
  }

  /** Reads a blob and verifies it: the last piece arrives only when the hash holds. @throws RagmeshError BLOB.CORRUPT. */
  async *read(tenant: string, key: string): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    let held: Buffer | undefined;
    for await (const piece of createReadStream(this.pathOf(tenant, key), {
      highWaterMark: 64 * 1024,
    }) as AsyncIterable<Buffer>) {
      hash.update(piece);
      if (held) yield held;
      held = piece;
    }
    if (hash.digest('hex') !== key)
      throw new RagmeshError('BLOB.CORRUPT', 'The stored content no longer matches its checksum.');
    if (held) yield held;
  }

  async remove(tenant: string, key: string): Promise<boolean> {
    const path = this.pathOf(tenant, key);
    const existed = (await stat(path).catch(() => undefined)) !== undefined;
    await rm(path, { force: true });
    return existed;
  }

  /** Removes what uploads of a dead process left aside. Call before the first upload. */
  async clearIncoming(): Promise<void> {
    await rm(join(this.root, 'incoming'), { recursive: true, force: true });
  }

  /** Every stored blob, for finding those that nothing refers to. */
  async *list(): AsyncGenerator<{ tenant: string; key: string }> {
    const entries = await readdir(this.root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || entry.parentPath.endsWith('incoming')) continue;
      yield { tenant: decodeURIComponent(entry.parentPath.split('/').at(-2)!), key: entry.name };
    }
  }
}

function tooLarge(maxBytes: number): RagmeshError {
  return new RagmeshError('DOCUMENT.TOO_LARGE', `The file is larger than the limit of ${maxBytes} bytes.`, {
    field: 'file',
    limit: maxBytes,
  });
}

function asStorageError(error: unknown): never {
  if (isRagmeshError(error)) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (FULL.has(code))
    throw new RagmeshError('STORAGE.FULL', 'The disk of the server is full; nothing was kept.', {}, { cause: error });
  throw error;
}
