import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '@ragmesh/testing';
import { newDataDir, removeDataDir } from './data-dir.js';

const MAIN = fileURLToPath(new URL('./supervised-main.mjs', import.meta.url));
const BLOCK = 512;
const MIB = 1024 * 1024;

let dataDir: string;
let supervisor: ChildProcess | undefined;
let said = '';
beforeAll(async () => {
  dataDir = await newDataDir();
});
afterEach(() => void supervisor?.kill('SIGKILL'));
afterAll(() => removeDataDir(dataDir));

interface Circumstances {
  readonly fault?: 'without-process' | 'refused';
  /** Bytes after which a file takes no more, as on a full disk. */
  readonly largestFile?: number;
}

function supervise(logFile: string, { fault, largestFile }: Circumstances = {}): void {
  said = '';
  const limit = largestFile === undefined ? '' : `trap '' XFSZ; ulimit -f ${largestFile / BLOCK};`;
  supervisor = spawn('sh', ['-c', `${limit} exec "$@"`, 'sh', process.execPath, MAIN, logFile, fault ?? ''], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const output of [supervisor.stdout!, supervisor.stderr!])
    output.on('data', (bytes: Buffer) => (said += String(bytes)));
}

async function untilSaid(sentence: RegExp): Promise<void> {
  const told = () => `${sentence} is said, only: ${said}`;
  await eventually(told, () => {
    if (sentence.test(said)) return true;
    if (supervisor!.exitCode !== null) throw new Error(`It ended before ${told()}`);
    return false;
  });
}

async function endsInOrder(): Promise<void> {
  const ended = once(supervisor!, 'exit');
  supervisor!.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}

describe('a supervised service', () => {
  it('goes on when its log cannot be written, and that is said once', async () => {
    const logFile = join(dataDir, 'full.log');
    supervise(logFile, { largestFile: 8 * BLOCK });
    await untilSaid(/talkative ended \(exit code 3\)[^]*talkative is back/);
    expect(said.match(/full\.log cannot be written, its lines are dropped: EFBIG/g)).toHaveLength(1);
    expect(statSync(logFile).size).toBe(8 * BLOCK);
    await endsInOrder();
  });

  it('is started again after a pause when the machine has no process for it', async () => {
    supervise(join(dataDir, 'log.log'), { fault: 'without-process' });
    await untilSaid(/talkative has no process: .*ENOENT and starts again in 100 ms[^]*talkative works/);
    await endsInOrder();
  });

  it('is given up, in its own words, when it answers calls and then brokers refuse it', async () => {
    supervise(join(dataDir, 'refused.log'), { fault: 'refused' });
    expect(await once(supervisor!, 'close')).toEqual([1, null]);
    expect(said).toContain('Kafka refuses the login.');
    expect(said).not.toContain('starts again');
  });

  it('begins a new log when the one before has grown large, and keeps one', async () => {
    const logFile = join(dataDir, 'large.log');
    writeFileSync(`${logFile}.1`, 'The one before.');
    writeFileSync(logFile, '');
    truncateSync(logFile, 51 * MIB);
    supervise(logFile);
    await untilSaid(/talkative works/);
    await endsInOrder();
    expect(statSync(`${logFile}.1`).size).toBe(51 * MIB);
    expect(statSync(logFile).size).toBeLessThan(50 * MIB);
    expect(existsSync(`${logFile}.2`)).toBe(false);
  });
});
