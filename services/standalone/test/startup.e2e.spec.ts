import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { newDataDir, removeDataDir, startMesh } from './mesh-fixture.js';

let dataDir: string;
let taken: Server;
beforeAll(async () => {
  dataDir = await newDataDir();
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterAll(async () => {
  taken.close();
  await removeDataDir(dataDir);
});

const MAIN = ['services/standalone/dist/main.js'];

const environmentWith = (own: Record<string, string>): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  RAGMESH_DATA_DIR: dataDir,
  APP_EMBEDDINGS_BACKEND: 'mock',
  ...own,
});

/** Starts ragmesh as `npm start` does, with an environment that cannot work. */
function start(environment: Record<string, string>): { status: number | null; said: string } {
  const env = environmentWith(environment);
  const run = spawnSync(process.execPath, MAIN, { env, encoding: 'utf8', timeout: 60_000 });
  return { status: run.status, said: run.stderr.trim() };
}

describe('a start that cannot work', () => {
  it('names the port that is taken', () => {
    const { port } = taken.address() as AddressInfo;
    const { status, said } = start({ SERVER_PORT: String(port) });
    expect(status).toBe(1);
    expect(said).toBe(`ragmesh: Port ${port} is taken by another program. Stop it, or set SERVER_PORT to a free port.`);
  });

  it('names the process that uses the data folder', async () => {
    const mesh = await startMesh(dataDir);
    const { status, said } = start({ SERVER_PORT: '0' });
    await mesh.close();
    expect(status).toBe(1);
    expect(said).toMatch(/^ragmesh: Another ragmesh \(pid \d+\) uses the data folder .*\.$/);
  });

  it('names the data folder it cannot write', () => {
    const file = join(dataDir, 'a-file');
    writeFileSync(file, '');
    // The second is one in which nothing can be made, and that says so by ENOENT.
    for (const folder of [join(file, 'below'), '/proc/ragmesh']) {
      const { status, said } = start({ RAGMESH_DATA_DIR: folder });
      expect(status).toBe(1);
      expect(said).toMatch(/^ragmesh: The data folder .* cannot be written .*\.$/);
    }
  });

  it('refuses in one sentence to be reached from elsewhere while nobody has to say who they are', () => {
    const { status, said } = start({ SERVER_HOST: '0.0.0.0' });
    expect(status).toBe(1);
    expect(said).toMatch(/SERVER_HOST must be 127\.0\.0\.1, ::1 or localhost while authentication is off .*\S$/);
    expect(said.split('\n').filter((line) => line.includes('SERVER_HOST'))).toHaveLength(1);
  });

  it('names every wrong variable at once', () => {
    const { status, said } = start({ SERVER_PORT: 'abc', CHUNK_SIZE: '3', RAGMESH_DATADIR: 'x' });
    expect(status).toBe(1);
    expect(said).toContain('SERVER_PORT');
    expect(said).toContain('CHUNK_SIZE');
    expect(said).toContain('did you mean RAGMESH_DATA_DIR?');
  });
});

const databaseOf = (folder: string): number =>
  Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
const isServed = (folder: string): boolean => existsSync(join(folder, 'postgres/postmaster.pid'));

/** Freezes the database and asks the process to stop, again and again: it ends in disorder, and leaves no database behind. */
async function endsAlthoughItsDatabaseHangs(child: ChildProcess, ended: Promise<unknown[]>): Promise<void> {
  const database = databaseOf(dataDir);
  process.kill(database, 'SIGSTOP');
  const asking = setInterval(() => child.kill('SIGINT'), 200);
  expect(await ended).toEqual([1, null]);
  clearInterval(asking);
  process.kill(database, 'SIGCONT');
  await eventually('no database is left', () => !isServed(dataDir));
}

describe('a start that does not come to its end', () => {
  it('leaves no database behind when the bus cannot be opened', async () => {
    const folder = await newDataDir();
    const postgres = await EmbeddedPostgres.start(folder);
    const pool = createPool(postgres.url('postgres'), { max: 1 });
    await pool.query('CREATE DATABASE ragmesh_bus');
    await pool.query('ALTER DATABASE ragmesh_bus SET default_transaction_read_only = on');
    await pool.end();
    await postgres.stop();
    const { status, said } = start({ RAGMESH_DATA_DIR: folder, SERVER_PORT: '0' });
    expect(status).toBe(1);
    expect(said).toContain('read-only');
    expect(isServed(folder)).toBe(false);
    await removeDataDir(folder);
  });

  it('leaves no database behind when it is asked to stop before it is ready', async () => {
    const env = environmentWith({ SERVER_PORT: '0' });
    const child = spawn(process.execPath, MAIN, { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (!isServed(dataDir) && child.exitCode === null) await delay(5);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(isServed(dataDir)).toBe(false);
  });

  it('leaves no database behind when it is asked again while the database does not become ready', async () => {
    const child = spawn(process.execPath, MAIN, { env: environmentWith({ SERVER_PORT: '0' }), stdio: 'ignore' });
    const ended = once(child, 'exit');
    while (!(isServed(dataDir) && databaseOf(dataDir) > 0) && child.exitCode === null) await delay(1);
    await endsAlthoughItsDatabaseHangs(child, ended);
  });
});

describe('the log', () => {
  it('begins anew when the one before has grown large, which is kept', async () => {
    const log = join(dataDir, 'ragmesh.log');
    const large = 51 * 1024 * 1024;
    writeFileSync(log, '');
    truncateSync(log, large);
    await (await startMesh(dataDir)).close();
    expect(statSync(`${log}.1`).size).toBe(large);
    expect(statSync(log).size).toBeLessThan(large);
  });
});

/** A ragmesh that is ready, and what it said by then. @param command in a process group of its own where it is `npm`. */
async function running(command: readonly [string, ...string[]] = [process.execPath, ...MAIN]) {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: environmentWith({ SERVER_PORT: '0' }),
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: program === 'npm',
  });
  const ended = once(child, 'exit');
  let said = '';
  for await (const piece of child.stdout) {
    said += String(piece);
    if (said.includes('Ctrl+C')) break;
  }
  return { child, ended, said };
}

describe('npm start', () => {
  let ragmesh: Awaited<ReturnType<typeof running>>;
  beforeAll(async () => void (ragmesh = await running(['npm', 'start'])));
  afterAll(() => void ragmesh.child.kill());

  it('says on one screen where everything is, what to try first and how to stop', () => {
    const lines = ragmesh.said.split('\n');
    const url = /http:\/\/127\.0\.0\.1:\d+$/m.exec(ragmesh.said)?.[0];
    const said = (name: string): string | undefined => new RegExp(`^  ${name} +(.*)$`, 'm').exec(ragmesh.said)?.[1];
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(ragmesh.said).toMatch(/^ragmesh is ready \(\d+\.\d s\)$/m);
    expect([said('URL'), said('Docs'), said('Data')]).toEqual([url, `${url}/docs`, dataDir]);
    expect(said('Log')).toBe(join(dataDir, 'ragmesh.log'));
    expect(said('Stop')).toBe('Ctrl+C');
  });

  it('does what its first three commands say', () => {
    const commands = [...ragmesh.said.matchAll(/^ {2}(?:Upload|Ask|Status) +(curl (?:[^\n]*\\\n)?.*)$/gm)];
    const env = { PATH: process.env['PATH'] }; // no proxy: only this machine can connect
    const [uploaded, answered, listed] = commands.map(([, command]) => {
      const { stdout } = spawnSync('sh', ['-c', `${command} --silent`], { encoding: 'utf8', env });
      return JSON.parse(stdout) as Record<string, unknown>;
    });
    expect(uploaded).toMatchObject({ id: expect.any(String), deduplicated: false });
    expect(answered).toMatchObject({ answer: expect.any(String) });
    expect(listed).toMatchObject({ data: [{ id: uploaded!['id'] }] });
  });

  it('ends in order when a terminal tells everybody to stop and npm its child again, and leaves no database behind', async () => {
    const { child, ended } = ragmesh;
    const database = databaseOf(dataDir);
    process.kill(-child.pid!, 'SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(isServed(dataDir)).toBe(false);
    expect(() => process.kill(database, 0)).toThrow('ESRCH');
  });
});

describe('a stop', () => {
  it('that is asked for again does not wait for a database that hangs, and leaves none behind', async () => {
    const { child, ended } = await running();
    await endsAlthoughItsDatabaseHangs(child, ended);
  });
});
