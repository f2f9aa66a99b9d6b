import { open } from 'node:fs/promises';

/** Some file systems sync no folders: then they need none, or there is nothing to be done about it. */
const CANNOT_BE_SYNCED = new Set(['EACCES', 'EISDIR', 'EPERM', 'EBADF', 'EINVAL']);

/** Puts the names in a folder on disk: a file that was made or renamed there keeps its name when the power fails. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!CANNOT_BE_SYNCED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
