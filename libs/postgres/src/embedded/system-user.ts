import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whom the server's processes run as; nobody in particular when this process is no root. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference; `nobody` exists on every system. */
const candidates = ['postgres', 'nobody'];

function find(name: string): SystemUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/** PostgreSQL refuses to run as root: an unprivileged user that exists, or one that is made, takes its place. */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const preferred = find('postgres');
  if (preferred !== undefined) return preferred;
  spawnSync('useradd', ['--system', '--user-group', '--no-create-home', 'postgres'], { stdio: 'ignore' });
  return candidates.map(find).find((user) => user !== undefined);
}

/** The first of a path's folders that `user` may not pass through, if any. */
export function closedFolderAbove(path: string, { uid, gid }: SystemUser): string | undefined {
  const folders: string[] = [];
  for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) folders.unshift(dirname(folder));
  return folders.find((folder) => {
    const { mode, uid: owner, gid: group } = statSync(folder);
    if (owner === uid) return (mode & 0o100) === 0;
    return (mode & (group === gid ? 0o010 : 0o001)) === 0;
  });
}

const setprivPaths = ['/usr/bin/setpriv', '/bin/setpriv'];

/** util-linux's setpriv, which can change the user and yet keep the right to pass through closed folders. */
export function setprivPath(): string | undefined {
  return setprivPaths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
