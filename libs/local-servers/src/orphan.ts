import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAlive } from '@ragmesh/postgres';

/** A server that was started for a folder, as a file in it remembers. */
interface Started {
  readonly pid: number;
  /** The process that started it, and ends it. */
  readonly owner: number;
  /** What its command line shows: its number may be that of another program by now. */
  readonly mark: string;
}

/** Remembers a server, so that the next start can end it when this process is killed before it does. */
export function rememberServer(file: string, pid: number | undefined, mark: string): void {
  if (pid === undefined) return;
  const started: Started = { pid, owner: process.pid, mark };
  writeFileSync(file, JSON.stringify(started));
}

/** Kills the server that a process left behind in this folder; one whose owner lives is none. Needs /proc to know it. */
export function endOrphan(file: string): void {
  const { pid, owner, mark } = startedIn(file);
  if (!pid || !owner || !mark || (owner !== process.pid && isAlive(owner))) return;
  if (commandLineOf(pid).includes(mark)) process.kill(pid, 'SIGKILL');
  rmSync(file, { force: true });
}

function startedIn(file: string): Partial<Started> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Partial<Started>;
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
