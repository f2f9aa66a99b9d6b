import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

const memory = '/dev/shm';
const prefix = 'ragmesh-test-';
/** Of the folder, and of the machine: suites keep a few databases at a time, and their processes need memory, too. */
const LEAST_FREE_BYTES = 8 * 2 ** 30;

/**
 * A folder in memory for what suites write, where Linux has one with room. Hundreds of databases are created and thrown away;
 * on a disk most of that time is the file system's. Killed processes lose nothing there either, and no suite cuts the power.
 * @returns undefined where there is none: suites then use the system's folder for temporary files.
 */
export function scratchFolder() {
  if (!hasRoom()) return undefined;
  for (const name of readdirSync(memory)) if (isAbandoned(name)) remove(join(memory, name));
  const path = join(memory, `${prefix}${process.pid}`);
  mkdirSync(path);
  process.on('exit', () => remove(path));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
  return path;
}

const remove = (path) => rmSync(path, { recursive: true, force: true, maxRetries: 5 });

/** Suites run programs from there, which some systems forbid. */
function hasRoom() {
  if (process.platform !== 'linux' || !existsSync(memory)) return false;
  const mount = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .find((line) => line.split(' ')[1] === memory);
  if (
    mount === undefined ||
    mount
      .split(' ')[3]
      .split(',')
      .some((option) => option === 'noexec' || option === 'ro')
  )
    return false;
  const { bavail, bsize } = statfsSync(memory);
  return Math.min(bavail * bsize, freemem()) >= LEAST_FREE_BYTES;
}

/** Whether a run of this user that was killed left it. */
function isAbandoned(name) {
  if (!name.startsWith(prefix) || statSync(join(memory, name)).uid !== process.getuid()) return false;
  try {
    process.kill(Number(name.slice(prefix.length)), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}
