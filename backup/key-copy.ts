import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SERVICE_KEY_FILE } from '@ragmesh/bootstrap';
import { notEmpty } from './backup-file.js';
import type { BackupFile } from './manifest.js';

/** Takes the services' own key along, if they made one: with another one, events that wait would pass for forged. */
export async function dumpKey(folder: string, keyFile: string | undefined): Promise<BackupFile | undefined> {
  const key = keyFile === undefined ? undefined : await readFile(keyFile).catch(missing);
  if (key === undefined) return undefined;
  await writeFile(join(folder, SERVICE_KEY_FILE), key, { flag: 'wx', mode: 0o600, flush: true });
  return { path: SERVICE_KEY_FILE, bytes: key.length, sha256: createHash('sha256').update(key).digest('hex') };
}

/** Where SERVICE_AUTH_KEY gives the key, it has to list the one of the backup's installation, too; nothing is written. */
export async function loadKey(
  folder: string,
  copy: BackupFile | undefined,
  keyFile: string | undefined,
): Promise<void> {
  if (!copy || keyFile === undefined) return;
  await mkdir(dirname(keyFile), { recursive: true });
  await writeFile(keyFile, await readFile(join(folder, copy.path)), { flag: 'wx', mode: 0o600 }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw notEmpty(`${keyFile} is the key of another installation: set RAGMESH_DATA_DIR to a new folder.`);
    },
  );
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
