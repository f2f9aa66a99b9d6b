import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RagmeshError } from '@ragmesh/errors';
import type { DataFolder } from './data-folder.js';
import { isAlive } from './postmaster.js';
import { serverCommand } from './server-command.js';
import { serverEnvironment } from './server-environment.js';
import { initdbArguments } from './server-settings.js';
import type { SystemUser } from './system-user.js';

const run = promisify(execFile);
const draftPrefix = 'postgres.new-';

function removeAbandonedDrafts(root: string): void {
  for (const name of readdirSync(root)) {
    const isAbandoned = name.startsWith(draftPrefix) && !isAlive(Number(name.slice(draftPrefix.length)));
    if (isAbandoned) rmSync(join(root, name), { recursive: true, force: true });
  }
}

/** Creates the cluster beside its place and moves it there: a crash half-way leaves nothing that looks complete. */
export async function initialiseCluster(folder: DataFolder, initdb: string, user?: SystemUser): Promise<void> {
  if (existsSync(join(folder.cluster, 'PG_VERSION'))) return;
  removeAbandonedDrafts(folder.root);
  const draft = join(folder.root, `${draftPrefix}${process.pid}`);
  mkdirSync(draft, { mode: 0o700, recursive: true });
  if (user !== undefined) chownSync(draft, user.uid, user.gid);
  const args = [...initdbArguments, `--pgdata=${draft}`, `--pwfile=${folder.passwordFile}`];
  const command = serverCommand(initdb, args, draft, user);
  try {
    await run(command.program, command.args, { ...command.user, cwd: '/', env: serverEnvironment() });
    renameSync(draft, folder.cluster);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (existsSync(join(folder.cluster, 'PG_VERSION'))) return; // another process was faster
    throw initFailure(folder, error);
  }
}

function initFailure({ root }: DataFolder, cause: unknown): RagmeshError {
  const { stderr = '', message } = cause as Error & { stderr?: string };
  const reason = stderr.split('\n').find((line) => /error/i.test(line)) ?? message;
  const code = /no space left/i.test(stderr) ? 'STORAGE.FULL' : 'STORAGE.UNAVAILABLE';
  return new RagmeshError(code, `The database could not be created in ${root}: ${reason}`, {}, { cause });
}
