import { randomBytes, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, readFile, rm, writeFile } from 'node:fs/promises';
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
 * The key an installation made for itself, which lies in its data folder; made here when there is none, or nothing in it.
 * @throws RagmeshError CONFIG.DATA_DIR_UNWRITABLE.
 */
export async function keptServiceKey(dataDir: string): Promise<string> {
  const file = join(dataDir, SERVICE_KEY_FILE);
  try {
    makeFolder(dataDir);
    const kept = await keyIn(file);
    if (kept) return kept;
    if (kept === '') await rm(file); // what a full disk left
    await keepNewKey(file);
    return (await keyIn(file))!;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const what = `The data folder ${dataDir} cannot be written (${code}). Set RAGMESH_DATA_DIR to a folder you own.`;
    throw new RagmeshError('CONFIG.DATA_DIR_UNWRITABLE', what, {}, { cause: error });
  }
}

async function keyIn(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Gives the file its name once it is on the disk: under it there is a whole key or none. Whoever comes second finds the first one's. */
async function keepNewKey(file: string): Promise<void> {
  const written = `${file}.${randomUUID()}`;
  try {
    await writeFile(written, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx', flush: true });
    await link(written, file)
      .catch(unlessThere)
      .catch(() => copyFile(written, file, constants.COPYFILE_EXCL)) // shared folders of other systems know no links
      .catch(unlessThere);
  } finally {
    await rm(written, { force: true });
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
