import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A database server as its `postmaster.pid` describes it. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** Where its Unix socket lies; empty when it has none. */
  readonly socketFolder: string;
  readonly isReady: boolean;
}

/** Whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** After a reboot the id may belong to an unrelated program. Where there is no /proc, the id alone has to do. */
function isServerOf(pid: number, cluster: string): boolean {
  if (!isAlive(pid)) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(cluster);
  } catch {
    return process.platform !== 'linux';
  }
}

/** The lines are: pid, data folder, start time, port, socket folder, address, shared memory key, state. */
export function findPostmaster(cluster: string): Postmaster | 'stale' | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0 || !isServerOf(pid, cluster)) return 'stale';
  return { pid, port: Number(lines[3]), socketFolder: lines[4]!.trim(), isReady: lines[7]?.trim() === 'ready' };
}
