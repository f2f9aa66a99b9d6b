import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RagmeshError } from '@ragmesh/errors';
import type { DataFolder } from './data-folder.js';
import { findPostmaster, isAlive, type Postmaster } from './postmaster.js';
import { serverCommand } from './server-command.js';
import { serverEnvironment } from './server-environment.js';
import { serverSettings } from './server-settings.js';
import type { SystemUser } from './system-user.js';

const pollMs = 10;
const startDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;
const startAttempts = 3;
const longestLogBytes = 5 * 2 ** 20;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Longest folder of a Unix socket: the system keeps 104 bytes for the whole path at least. */
const longestSocketFolder = 80;

/** Statements over a Unix socket cost about half of what they cost over TCP; psql and the like may still use the port. */
const socketFolderOf = ({ cluster }: DataFolder): string =>
  process.platform === 'win32' || Buffer.byteLength(cluster) > longestSocketFolder || cluster.includes(',')
    ? ''
    : cluster;

/** A program's server and how it is started. */
export interface ServerProgram {
  readonly postgres: string;
  readonly user: SystemUser | undefined;
  /** Told each server that is started, long before it is ready where it has to recover first. */
  readonly onSpawn?: (server: ServerProcess) => void;
}

export type ServerProcess = Pick<Postmaster, 'pid'>;

/** Starts a server that outlives this process; Ctrl-C in the terminal does not reach it. */
function spawnServer(
  folder: DataFolder,
  { postgres, user, onSpawn }: ServerProgram,
  port: number,
): { hasExited(): boolean } {
  const named = { ...serverSettings, unix_socket_directories: socketFolderOf(folder) };
  const settings = Object.entries(named).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const command = serverCommand(
    postgres,
    ['-D', folder.cluster, '-p', String(port), ...settings],
    folder.cluster,
    user,
  );
  if (existsSync(folder.logFile) && statSync(folder.logFile).size > longestLogBytes) truncateSync(folder.logFile);
  const log = openSync(folder.logFile, 'a', 0o600);
  const child = spawn(command.program, command.args, {
    ...command.user,
    cwd: '/',
    env: serverEnvironment(),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let exited = false;
  child.once('exit', () => (exited = true)).once('error', () => (exited = true));
  child.unref();
  if (child.pid !== undefined) onSpawn?.({ pid: child.pid });
  return { hasExited: () => exited };
}

async function untilReady(cluster: string, hasExited: () => boolean): Promise<Postmaster | undefined> {
  const deadline = Date.now() + startDeadlineMs;
  while (Date.now() < deadline) {
    const found = findPostmaster(cluster);
    if (typeof found === 'object' && found.isReady) return found;
    if (hasExited() && typeof found !== 'object') return undefined;
    await sleep(pollMs);
  }
  return undefined;
}

function startFailure({ logFile, cluster }: DataFolder): RagmeshError {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trim().split('\n') : [];
  const reason = lines.findLast((line) => /FATAL|PANIC|cannot|error/i.test(line)) ?? 'no reason given';
  const code = /no space left/i.test(reason) ? 'STORAGE.FULL' : 'STORAGE.UNAVAILABLE';
  return new RagmeshError(
    code,
    `The database in ${cluster} did not start: ${reason.replace(/^.*?(FATAL|PANIC):\s*/, '')} (see ${logFile})`,
  );
}

/**
 * The server of this folder: the one that still runs, even when another process started it, or a new one.
 * @param port to listen on when a new one is started, where others look for it; a free one by default.
 * @throws RagmeshError STORAGE.UNAVAILABLE or STORAGE.FULL with the server's own reason.
 */
export async function ensureServer(
  folder: DataFolder,
  program: ServerProgram,
  port?: number,
): Promise<Postmaster & { adopted: boolean }> {
  for (let attempt = 0; attempt < startAttempts; attempt += 1) {
    const found = findPostmaster(folder.cluster);
    if (typeof found === 'object') {
      const ready = await untilReady(folder.cluster, () => true);
      if (ready !== undefined) return { ...ready, adopted: true };
    }
    if (found === 'stale') rmSync(join(folder.cluster, 'postmaster.pid'), { force: true });
    const server = spawnServer(folder, program, port ?? (await freePort()));
    const ready = await untilReady(folder.cluster, server.hasExited);
    if (ready !== undefined) return { ...ready, adopted: server.hasExited() };
  }
  throw startFailure(folder);
}

/** PostgreSQL's fast shutdown: running transactions are rolled back, data is written, the process ends. @returns whether it ran. */
export function tellToStop({ pid }: ServerProcess): boolean {
  try {
    return process.kill(pid, 'SIGINT');
  } catch {
    return false;
  }
}

/** The same, until it has ended. */
export async function stopServer(server: Postmaster): Promise<void> {
  const { pid } = server;
  const deadline = Date.now() + stopDeadlineMs;
  if (!tellToStop(server)) return;
  while (isAlive(pid) && Date.now() < deadline) await sleep(pollMs);
}
