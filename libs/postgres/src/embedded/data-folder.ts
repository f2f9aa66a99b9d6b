import { randomBytes } from 'node:crypto';
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import type { SystemUser } from './system-user.js';

/** Where a data folder keeps its database server. */
export interface DataFolder {
  readonly root: string;
  readonly cluster: string;
  readonly passwordFile: string;
  readonly logFile: string;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

/** Node's own recursive mkdir never returns where a file system such as /proc answers ENOENT. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // another process was faster
  }
}

/** @throws RagmeshError `CONFIG.DATA_DIR_UNWRITABLE` when the folder cannot be made or written. */
export function openDataFolder(root: string): DataFolder {
  try {
    makeFolder(root);
    accessSync(root, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(root, error);
  }
  return {
    root,
    cluster: join(root, 'postgres'),
    passwordFile: join(root, 'postgres.password'),
    logFile: join(root, 'postgres.log'),
  };
}

const unwritable = (root: string, cause: unknown): RagmeshError =>
  new RagmeshError(
    'CONFIG.DATA_DIR_UNWRITABLE',
    `The data folder ${root} cannot be written (${codeOf(cause)}). Set RAGMESH_DATA_DIR to a folder you own.`,
    {},
    { cause },
  );

/** The server's password, made on first use. Two processes that start at once agree on one. */
export function clusterPassword({ root, passwordFile }: DataFolder, owner?: SystemUser): string {
  const draft = `${passwordFile}.${process.pid}`;
  try {
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600 });
    if (owner !== undefined) chownSync(draft, owner.uid, owner.gid); // initdb reads it, too
    linkSync(draft, passwordFile);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw unwritable(root, error);
  } finally {
    rmSync(draft, { force: true });
  }
  try {
    return readFileSync(passwordFile, 'utf8').trim();
  } catch (error) {
    throw unwritable(root, error);
  }
}
