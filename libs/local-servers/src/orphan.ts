import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import { isAlive } from '@ragmesh/postgres';

/** A server that was started for a folder, as a file in it remembers. */
interface Started {
  readonly pid: number;
  /** The process that started it, and ends it. */
  readonly owner: number;
  /** What its command line shows, all of it: its number may be that of another program by now. */
  readonly marks: readonly string[];
}

/** Remembers a server, so that the next start can end it when this process is killed before it does. */
export function rememberServer(file: string, pid: number | undefined, marks: readonly string[]): void {
  if (pid === undefined) return;
  const started: Started = { pid, owner: process.pid, marks };
  writeFileSync(file, JSON.stringify(started));
}

/**
 * Kills the server that a process left behind in this folder. Needs /proc to know it.
 * @param formerMarks of a server that release 0.2.0 started, which noted numbers alone: of the process, then of port and owner, if any.
 * @throws RagmeshError CONFIG.DATA_DIR_IN_USE when it runs and whoever started it lives: the folder is theirs.
 */
export function endOrphan(file: string, formerMarks: readonly string[]): void {
  const { pid, owner, marks } = startedIn(file, formerMarks);
  if (!pid || !marks) return;
  const commandLine = commandLineOf(pid);
  const runs = marks.every((mark) => commandLine.includes(mark));
  if (runs && owner && owner !== process.pid && isAlive(owner)) throw inUse(file, owner);
  if (runs) process.kill(pid, 'SIGKILL');
  rmSync(file, { force: true });
}

const inUse = (file: string, owner: number): RagmeshError =>
  new RagmeshError('CONFIG.DATA_DIR_IN_USE', `Process ${owner} runs a server in ${dirname(file)}.`, { pid: owner });

function startedIn(file: string, formerMarks: readonly string[]): Partial<Started> {
  try {
    const text = readFileSync(file, 'utf8');
    const [, pid, port, owner] = /^(\d+)(?: (\d+) (\d+))?$/.exec(text) ?? [];
    if (pid === undefined) return JSON.parse(text) as Partial<Started>;
    return { pid: Number(pid), owner: Number(owner ?? 0), marks: port ? [...formerMarks, `:${port}`] : formerMarks };
  } catch {
    return {}; // none was started here, or its start was cut off
  }
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
