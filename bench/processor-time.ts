import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Seconds of processor time of a ragmesh and everything it started, since their start. */
export interface ProcessorTime {
  /** The thread that runs our JavaScript. */
  readonly mainThread: number;
  /** Inference, reading of files, garbage collection, the system's thread pool. */
  readonly otherThreads: number;
  readonly postgres: number;
  /** Processes that read files. */
  readonly otherProcesses: number;
}

/** Positions after the command's name in `/proc/<pid>/stat`; see proc_pid_stat(5). */
const field = { parent: 1, user: 11, system: 12, childrenUser: 13, childrenSystem: 14 } as const;

interface Stat {
  readonly command: string;
  readonly parent: number;
  readonly own: number;
  /** Of children that have ended. */
  readonly ended: number;
}

function statOf(file: string, ticks: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(file, 'utf8');
  } catch {
    return undefined; // it ended in the meantime
  }
  const nameEnd = line.lastIndexOf(')');
  const fields = line
    .slice(nameEnd + 2)
    .split(' ')
    .map(Number);
  return {
    command: line.slice(line.indexOf('(') + 1, nameEnd),
    parent: fields[field.parent]!,
    own: (fields[field.user]! + fields[field.system]!) / ticks,
    ended: (fields[field.childrenUser]! + fields[field.childrenSystem]!) / ticks,
  };
}

/** The processor time so far; undefined where the system does not tell it through `/proc`. */
export function processorTime(pid: number): ProcessorTime | undefined {
  if (process.platform !== 'linux') return undefined;
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const all = new Map<number, Stat>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(`/proc/${name}/stat`, ticks) : undefined;
    if (stat) all.set(Number(name), stat);
  }
  const main = statOf(`/proc/${pid}/task/${pid}/stat`, ticks);
  const whole = all.get(pid);
  if (!main || !whole) return undefined;
  let postgres = 0;
  let otherProcesses = whole.ended;
  for (const [id, stat] of all) {
    if (id === pid || !descends(id, pid, all)) continue;
    if (stat.command.startsWith('postgres')) postgres += stat.own + stat.ended;
    else otherProcesses += stat.own + stat.ended;
  }
  return { mainThread: main.own, otherThreads: whole.own - main.own, postgres, otherProcesses };
}

function descends(id: number, ancestor: number, all: ReadonlyMap<number, Stat>): boolean {
  for (let at = all.get(id); at; at = all.get(at.parent)) if (at.parent === ancestor) return true;
  return false;
}

/** What was used between two looks. */
export function processorTimeBetween(before: ProcessorTime, after: ProcessorTime): ProcessorTime {
  return {
    mainThread: after.mainThread - before.mainThread,
    otherThreads: after.otherThreads - before.otherThreads,
    postgres: after.postgres - before.postgres,
    otherProcesses: after.otherProcesses - before.otherProcesses,
  };
}
