import { RagmeshError } from '@ragmesh/errors';
import { closedFolderAbove, setprivPath, type SystemUser } from './system-user.js';

/** A program with its arguments and the user to start it as. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly user: SystemUser | undefined;
}

/**
 * The command as it has to be started. As root, the server runs as another user; where that user may not pass through a
 * folder above its files (root's home, typically), it keeps that one right through setpriv.
 * @throws RagmeshError `CONFIG.DATA_DIR_UNWRITABLE` when neither is possible.
 */
export function serverCommand(program: string, args: readonly string[], folder: string, user?: SystemUser): Command {
  if (user === undefined) return { program, args, user };
  const closed = closedFolderAbove(folder, user) ?? closedFolderAbove(program, user);
  if (closed === undefined) return { program, args, user };
  const setpriv = setprivPath();
  if (setpriv === undefined) {
    throw new RagmeshError(
      'CONFIG.DATA_DIR_UNWRITABLE',
      `As root, the database runs as another user (uid ${user.uid}), who may not enter ${closed}. ` +
        `Start ragmesh as a normal user, or move it and RAGMESH_DATA_DIR to a folder that everyone may enter.`,
    );
  }
  const rights = [
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '--bounding-set=-all,+dac_override',
  ];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  return { program: setpriv, args: [...identity, ...rights, program, ...args], user: undefined };
}
