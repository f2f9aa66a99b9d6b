import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Documents are nobody's on this machine but the service's. */
export const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
const HEAD_BYTES = 4096;
const STAGED_PIECE_BYTES = 256 * 1024;
/** Nothing that is older is still on its way. */
export const LONGEST_UPLOAD_MS = 24 * 3_600_000;

/** No tenant is called so: a tenant's name begins with a letter or a digit. */
const INCOMING = '.incoming';
/** Where earlier releases staged; the blobs of a tenant of that name are in folders of it. */
const INCOMING_BEFORE = 'incoming';

const HOST = encodeURIComponent(hostname());
/** Who writes a staged file, by its name. */
const OWNER = /^(?<pid>\d+)@(?<host>[^~]+)~/;

/** Bytes that were written and hashed, and have no name yet. */
export interface StagedBlob {
  readonly path: string;
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
  /** First bytes, to tell the type by. */
  readonly head: Buffer;
}

/**
 * Content-addressed bytes, one tree per tenant: the key of a blob is its SHA-256. A blob appears whole or not at all. Bytes are
 * staged on this machine's disk, wherever blobs are kept: only when all of them are there is their key known.
 */
export abstract class BlobStore {
  /**
   * Blobs whose transaction failed after they may have got their name; the collector looks whether anything refers to them.
   * A process that dies first looks at all blobs when it starts again.
   */
  readonly abandoned = new Set<{ readonly tenant: string; readonly key: string }>();

  readonly #incoming: string;

  /** @param folder of this machine: what is staged lies in `.incoming` below it; processes may share it. */
  constructor(private readonly folder: string) {
    this.#incoming = join(folder, INCOMING);
  }

  /**
   * Does of {@link publish} what takes long, so that the transaction that names the bytes need not wait for it. Until then
   * nothing refers to them, so they may be gone again by the time they are published.
   * @throws RagmeshError STORAGE.*.
   */
  prepare(_tenant: string, _staged: Pick<StagedBlob, 'path' | 'key'>): Promise<void> {
    return Promise.resolve();
  }

  /** Gives staged bytes their name; done twice it changes nothing. @throws RagmeshError STORAGE.*. */
  abstract publish(tenant: string, staged: Pick<StagedBlob, 'path' | 'key'>): Promise<void>;

  /** @throws RagmeshError BLOB.NOT_FOUND, STORAGE.*. */
  abstract size(tenant: string, key: string): Promise<number>;

  /**
   * Reads a blob and verifies it: the last piece arrives only when the hash holds.
   * @throws RagmeshError BLOB.NOT_FOUND, BLOB.CORRUPT, STORAGE.*.
   */
  abstract read(tenant: string, key: string): AsyncGenerator<Buffer>;

  /** Hands a blob as a file to `use`, for a process that reads files; the file may be gone afterwards. */
  abstract withFile<T>(tenant: string, key: string, use: (path: string) => Promise<T>): Promise<T>;

  /** @returns whether it was there. */
  abstract remove(tenant: string, key: string): Promise<boolean>;

  /** Every stored blob, for finding those that nothing refers to. */
  abstract list(): AsyncGenerator<{ tenant: string; key: string }>;

  /**
   * Removes what uploads of dead processes left where blobs are kept: it is no blob yet, so {@link list} does not show it.
   * What may still be on its way stays.
   * @throws RagmeshError STORAGE.*.
   */
  clearUnfinished(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  /** A place to write to that no key points at. */
  async temporaryPath(): Promise<string> {
    await mkdir(this.#incoming, { recursive: true, mode: PRIVATE_FOLDER });
    return this.#newPath();
  }

  /**
   * Writes a stream aside while hashing it. Nothing is left behind when it fails.
   * @throws RagmeshError DOCUMENT.TOO_LARGE above `maxBytes`, STORAGE.FULL.
   */
  async stage(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<StagedBlob> {
    const path = this.#newPath();
    const hash = createHash('sha256');
    const head: Buffer[] = [];
    let bytes = 0;
    try {
      const file = await makingFolder(path, () => open(path, 'wx', PRIVATE_FILE));
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

  /** The bytes of a file that lies aside, in pieces that are decoded in a moment. */
  readStaged(path: string): AsyncIterable<Buffer> {
    return createReadStream(path, { highWaterMark: STAGED_PIECE_BYTES });
  }

  /** Forgets bytes that were staged and not published. */
  async discard({ path }: Pick<StagedBlob, 'path'>): Promise<void> {
    await unlink(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error; // published: it has its name
    });
  }

  /**
   * Removes what uploads of dead processes left aside. Call before the first upload. Of a process of another host (a container is one,
   * and the folder may be shared) nobody here knows whether it lives: what it left goes when no upload can be that old.
   */
  async clearIncoming(): Promise<void> {
    await chmod(this.folder, PRIVATE_FOLDER).catch(() => undefined); // it is not there yet, or somebody else's
    await clearStaged(this.#incoming);
    await clearStaged(join(this.folder, INCOMING_BEFORE));
  }

  #newPath(): string {
    return join(this.#incoming, `${process.pid}@${HOST}~${randomUUID()}`);
  }
}

/** Files only: a folder there is a tenant's. */
async function clearStaged(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const { pid, host } = OWNER.exec(entry.name)?.groups ?? {};
    const isLeft = host === HOST ? Number(pid) === process.pid || !isAlive(Number(pid)) : await isOld(path);
    if (isLeft) await rm(path, { force: true });
  }
}

const isOld = async (path: string): Promise<boolean> =>
  Date.now() - (await stat(path).catch(() => ({ mtimeMs: Infinity }))).mtimeMs > LONGEST_UPLOAD_MS;

/** Does something to a path, and makes its folder only when it turns out to be missing. */
export async function makingFolder<T>(
  path: string,
  work: () => Promise<T>,
  make: () => Promise<unknown> = () => mkdir(dirname(path), { recursive: true, mode: PRIVATE_FOLDER }),
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await make();
    return work();
  }
}

/** Passes pieces on and holds the last one back until the hash of all is `key`. @throws RagmeshError BLOB.CORRUPT. */
export async function* verified(pieces: AsyncIterable<Buffer>, key: string): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let held: Buffer | undefined;
  for await (const piece of pieces) {
    hash.update(piece);
    if (held) yield held;
    held = piece;
  }
  if (hash.digest('hex') !== key)
    throw new RagmeshError('BLOB.CORRUPT', 'The stored content no longer matches its checksum.');
  if (held) yield held;
}

export function notFound(cause?: unknown): RagmeshError {
  return new RagmeshError('BLOB.NOT_FOUND', 'The stored content of this document is missing.', {}, { cause });
}

/** @throws RagmeshError STORAGE.FULL when the disk is; else the error as it is. */
export function asStorageError(error: unknown): never {
  if (isRagmeshError(error)) throw error;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (FULL.has(code))
    throw new RagmeshError('STORAGE.FULL', 'The disk of the server is full; nothing was kept.', {}, { cause: error });
  throw error;
}

function tooLarge(maxBytes: number): RagmeshError {
  return new RagmeshError('DOCUMENT.TOO_LARGE', `The file is larger than the limit of ${maxBytes} bytes.`, {
    field: 'file',
    limit: maxBytes,
  });
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
