import { constants, existsSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { documentService } from '@ragmesh/service-document';
import { fault, type Finding } from '../finding.js';
import { read, type Situation } from '../situation.js';

const { RAGMESH_DATA_DIR } = documentService.config.variables;
const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Whether the data folder, or the one it will be made in, can be written, and has room. */
export async function checkDataFolder(situation: Situation): Promise<Finding[]> {
  const folder = resolve(read(situation, { RAGMESH_DATA_DIR })?.RAGMESH_DATA_DIR ?? '.ragmesh');
  const existing = existingAbove(folder);
  try {
    await access(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return [
      fault(
        `${folder} cannot be written (${(error as NodeJS.ErrnoException).code} at ${existing}).`,
        'Uploads, and in standalone the database, have nowhere to go.',
        `sudo chown -R "$USER" ${existing}, or set RAGMESH_DATA_DIR to a folder of yours`,
      ),
    ];
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  if (free >= situation.leastFreeBytes) return [];
  return [
    fault(
      `${folder} has ${gib(free)} left; ${gib(situation.leastFreeBytes)} is the least.`,
      'Once the disk is full, uploads are refused with STORAGE.FULL and the database may stop.',
      `du -sh ${folder}/* to see what takes the room; then make some, or move RAGMESH_DATA_DIR`,
    ),
  ];
}

function existingAbove(folder: string): string {
  let current = folder;
  while (!existsSync(current) && dirname(current) !== current) current = dirname(current);
  return current;
}
