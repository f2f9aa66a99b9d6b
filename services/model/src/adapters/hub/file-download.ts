import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import { retryWithJitter } from '@ragmesh/resilience';
import type { HubClient, HubFile } from './hub-client.js';
import { hubTrouble } from './hub-failure.js';

export interface FileDownload {
  readonly client: HubClient;
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Where the checked file goes; what is not complete lies beside it as `.part`. */
  readonly target: string;
  /** Bytes of this file that are here, after each chunk. */
  onProgress(bytes: number): void;
}

const retries = { attempts: 3, baseMs: 100, capMs: 5_000 };

/**
 * Downloads a file and checks size and checksum; goes on where an earlier try broke off, in this process or another.
 * A try that brought the file further does not count as failed.
 * @returns its SHA-256.
 * @throws RagmeshError MODEL.DOWNLOAD_FAILED, STORAGE.FULL and what {@link HubClient} throws.
 */
export async function downloadFile(download: FileDownload): Promise<string> {
  const { target } = download;
  await mkdir(dirname(target), { recursive: true });
  // Checked once more: a power loss may have taken bytes of what was whole.
  if (await isThere(target)) await rename(target, `${target}.part`);
  for (;;) {
    const before = await sizeOf(`${target}.part`);
    try {
      const sha256 = await retryWithJitter(() => attempt(download).catch(asResultWhenFull), retries);
      if (typeof sha256 === 'string') return sha256;
      throw sha256;
    } catch (error) {
      if ((await sizeOf(`${target}.part`)) <= before) throw error;
    }
  }
}

async function attempt(download: FileDownload): Promise<string> {
  const { repository, file, target } = download;
  const part = `${target}.part`;
  try {
    if ((await sizeOf(part)) > file.bytes) await rm(part);
    if ((await sizeOf(part)) < file.bytes) await fetchRest(download, part);
    const { sha256, gitSha1 } = await digestsOf(part, file.bytes);
    if (file.digest.hex !== (file.digest.kind === 'sha256' ? sha256 : gitSha1))
      throw damaged(download, 'has another checksum than the hub announced');
    await rename(part, target);
    return sha256;
  } catch (error) {
    const trouble = hubTrouble({ repository }, error);
    // What is wrong would be continued, and what fills the disk would keep it full.
    if (trouble.details['reason'] === 'damaged' || trouble.code === 'STORAGE.FULL') await rm(part, { force: true });
    throw trouble;
  }
}

/** A full disk does not become emptier by trying again. */
function asResultWhenFull(error: RagmeshError): RagmeshError {
  if (error.code === 'STORAGE.FULL') return error;
  throw error;
}

async function fetchRest(download: FileDownload, part: string): Promise<void> {
  const { client, repository, commit, file, onProgress } = download;
  let handle: FileHandle | undefined;
  let size = await sizeOf(part);
  const from = size;
  const take = async (chunk: Uint8Array): Promise<void> => {
    if (size + chunk.length > file.bytes) throw damaged(download, `has more than the ${file.bytes} bytes announced`);
    await handle!.write(chunk);
    size += chunk.length;
    onProgress(size);
  };
  try {
    await client.read({ repository, revision: commit, path: file.path }, from, async (offset) => {
      if (offset !== 0 && offset !== from) throw damaged(download, 'was continued at another place than asked');
      handle = await open(part, offset === 0 ? 'w' : 'a');
      size = offset;
      return take;
    });
    await handle?.datasync();
  } finally {
    await handle?.close();
  }
  if (size < file.bytes) {
    const details = { model: repository, file: file.path, bytes: size, expected: file.bytes, reason: 'cut' };
    throw new RagmeshError('MODEL.DOWNLOAD_FAILED', `The download of ${file.path} ended early.`, details);
  }
}

/** Both in one pass; git names a blob by the SHA-1 of its size and content. */
async function digestsOf(path: string, bytes: number): Promise<{ sha256: string; gitSha1: string }> {
  const sha256 = createHash('sha256');
  const gitSha1 = createHash('sha1').update(`blob ${bytes}\0`);
  for await (const chunk of createReadStream(path)) {
    sha256.update(chunk as Buffer);
    gitSha1.update(chunk as Buffer);
  }
  return { sha256: sha256.digest('hex'), gitSha1: gitSha1.digest('hex') };
}

function damaged({ repository, file }: FileDownload, fault: string): RagmeshError {
  const details = { model: repository, file: file.path, reason: 'damaged' };
  return new RagmeshError('MODEL.DOWNLOAD_FAILED', `What arrived as ${file.path} ${fault}.`, details);
}

/** How much of a file is here, complete or not. */
export async function bytesHere(target: string): Promise<number> {
  return (await sizeOf(target)) || sizeOf(`${target}.part`);
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
