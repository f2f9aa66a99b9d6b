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

/** As releases wrote it that knew a server by one mark. */
interface FormerlyStarted {
  readonly mark: string;
}

/** Remembers a server, so that the next start can end it when this process is killed before it does. */
export function rememberServer(file: string, pid: number | undefined, marks: readonly string[]): void {
  if (pid === undefined) return;
  const started: Started = { pid, owner: process.pid, marks };
  writeFileSync(file, JSON.stringify(started));
}

/**
 * Kills the server that a process left behind in this folder. Needs /proc to know it.
 * @throws RagmeshError CONFIG.DATA_DIR_IN_USE when it runs and whoever started it lives: the folder is theirs.
 */
export function endOrphan(file: string): void {
  const { pid, owner, mark, marks = mark ? [mark] : undefined } = startedIn(file);
  if (!pid || !owner || !marks) return;
  const commandLine = commandLineOf(pid);
  const runs = marks.every((mark) => commandLine.includes(mark));
  if (runs && owner !== process.pid && isAlive(owner)) throw inUse(file, owner);
  if (runs) process.kill(pid, 'SIGKILL');
  rmSync(file, { force: true });
}

const inUse = (file: string, owner: number): RagmeshError =>
  new RagmeshError('CONFIG.DATA_DIR_IN_USE', `Process ${owner} runs a server in ${dirname(file)}.`, { pid: owner });

function startedIn(file: string): Partial<Started & FormerlyStarted> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Started & FormerlyStarted>;
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
