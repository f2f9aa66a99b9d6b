import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@ragmesh/local-servers';

const READY_WITHIN_MS = 120_000;
const STOP_WITHIN_MS = 20_000;

export interface RunningStandalone {
  readonly url: string;
  /** Of ragmesh itself until it is restarted, then of the npm it runs under. */
  readonly pid: number;
  /** Stops the process and gives `npm start` its data. @returns milliseconds from that command until it was ready. */
  restart(): Promise<number>;
  /** Stops the process and removes its data. */
  stop(): Promise<void>;
}

/**
 * Starts a ragmesh of its own, on a free port and an empty data folder, and waits until it is ready.
 *
 * @param settings variables that differ from their defaults
 */
export async function startStandalone(
  root: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningStandalone> {
  const entry = join(root, 'services/standalone/dist/main.js');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: build first, or give --url of a running ragmesh.`);
  const data = await mkdtemp(join(tmpdir(), 'ragmesh-eval-'));
  const [port] = await freePorts(1);
  const env = {
    ...process.env,
    SERVER_PORT: String(port),
    SERVER_HOST: '127.0.0.1',
    RAGMESH_DATA_DIR: data,
    // Repeated questions must be searched for, not remembered.
    CACHE_TTL_SECONDS: '0',
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const begin = (program: string, argument: string): ChildProcess =>
    spawn(program, [argument], { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] });
  let child = begin(process.execPath, entry);
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await stopChild(child);
    await rm(data, { recursive: true, force: true });
  };
  try {
    await waitUntilReady(url, child);
  } catch (error) {
    await stop();
    throw error;
  }
  const restart = async (): Promise<number> => {
    await stopChild(child);
    const started = performance.now();
    child = begin('npm', 'start');
    await waitUntilReady(url, child);
    return performance.now() - started;
  };
  return {
    url,
    get pid() {
      return child.pid!;
    },
    restart,
    stop,
  };
}

async function waitUntilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('ragmesh stopped before it was ready.');
    const isReady = await fetch(new URL('/readyz', url)).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  throw new Error(`ragmesh was not ready within ${READY_WITHIN_MS / 1_000} seconds.`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}
