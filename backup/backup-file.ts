import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { RagmeshError } from '@ragmesh/errors';
import type { BackupFile } from './manifest.js';

/** Fast; most bytes are vectors, which no level makes small. */
const GZIP_LEVEL = 1;
/** Readable by whoever made it only: it holds what documents say. */
const PRIVATE = { folder: 0o700, file: 0o600 };

/** Writes a stream compressed into the backup, and gives size and SHA-256 of what lies there. */
export async function writeCompressed(
  folder: string,
  path: string,
  source: Readable | AsyncIterable<Buffer>,
): Promise<BackupFile> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true, mode: PRIVATE.folder });
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      bytes += chunk.length;
      next(null, chunk);
    },
  });
  const file = createWriteStream(target, { flags: 'wx', mode: PRIVATE.file, flush: true });
  await pipeline(source, createGzip({ level: GZIP_LEVEL }), count, file);
  return { path, bytes, sha256: hash.digest('hex') };
}

/** Writes pieces as they are. @returns how many bytes they were. */
export async function writePlain(folder: string, path: string, source: AsyncIterable<Buffer>): Promise<number> {
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true, mode: PRIVATE.folder });
  const file = createWriteStream(target, { flags: 'wx', mode: PRIVATE.file, flush: true });
  await pipeline(source, file);
  return file.bytesWritten;
}

/** @throws RagmeshError BACKUP.UNREADABLE when the file is missing or has other bytes than were written. */
export async function verify(folder: string, { path, bytes, sha256 }: BackupFile): Promise<void> {
  const file = join(folder, path);
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw unusable(`The backup lacks the file ${path}.`);
    throw unusable(`${path} of the backup cannot be looked at: ${error.code}.`);
  });
  if (found.size !== bytes) throw unusable(`${path} of the backup has ${found.size} bytes instead of ${bytes}.`);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  if (hash.digest('hex') !== sha256) throw unusable(`${path} of the backup is damaged: its SHA-256 is another one.`);
}

export const unusable = (sentence: string): RagmeshError => new RagmeshError('BACKUP.UNREADABLE', sentence);

export const notEmpty = (sentence: string): RagmeshError => new RagmeshError('BACKUP.TARGET_NOT_EMPTY', sentence);
