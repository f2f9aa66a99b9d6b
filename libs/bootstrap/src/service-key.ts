import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { string } from '@ragmesh/config';
import { RagmeshError } from '@ragmesh/errors';
import { makeFolder } from '@ragmesh/postgres';

/** By what services of one installation know each other. */
export const serviceAuthKey = () =>
  string({
    matches: /^[^\s,]{32,512}(,[^\s,]{32,512})*$/,
    expected: 'at least 32 characters such as $(openssl rand -hex 32); several with commas between',
  })
    .secret()
    .describe(
      'Key that services sign their calls and events with, the same for all; with several, the first signs and all are taken',
    );

/** The keys of a list, the one that signs first. */
export const serviceKeysIn = (list: string): string[] => list.split(',');

/** Where it lies in the data folder. */
export const SERVICE_KEY_FILE = 'service-auth.key';

/**
 * The key an installation made for itself, which lies in its data folder; made here when there is none.
 * @throws RagmeshError CONFIG.DATA_DIR_UNWRITABLE.
 */
export async function keptServiceKey(dataDir: string): Promise<string> {
  const file = join(dataDir, SERVICE_KEY_FILE);
  try {
    makeFolder(dataDir);
    // Whoever comes second finds the first one's.
    await writeFile(file, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 }).catch(unlessThere);
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = `The data folder ${dataDir} cannot be written (${code}). Set RAGMESH_DATA_DIR to a folder you own.`;
    throw new RagmeshError('CONFIG.DATA_DIR_UNWRITABLE', what, {}, { cause: error });
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
