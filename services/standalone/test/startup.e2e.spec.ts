import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
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
    const { status, said } = start({ RAGMESH_DATA_DIR: join(file, 'below') });
    expect(status).toBe(1);
    expect(said).toMatch(/^ragmesh: The data folder .* cannot be written .*\.$/);
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

describe('a stop', () => {
  it('that is asked for twice does not wait for requests, and leaves no database behind', async () => {
    const child = spawn(process.execPath, MAIN, {
      env: environmentWith({ SERVER_PORT: '0' }),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    let said = '';
    for await (const piece of child.stdout) {
      said += String(piece);
      if (/http:\/\/127\.0\.0\.1:\d+/.test(said)) break;
    }
    const url = new URL(/http:\/\/127\.0\.0\.1:\d+/.exec(said)![0]);
    const request = connect(Number(url.port), url.hostname).on('error', () => undefined);
    request.write(
      'POST /v1/documents HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    child.kill('SIGINT');
    while (
      await fetch(`${url.origin}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      await delay(20);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await ended).toEqual([1, null]);
    const isServed = (): boolean => existsSync(join(dataDir, 'postgres/postmaster.pid'));
    for (const deadline = Date.now() + 20_000; isServed() && Date.now() < deadline;) await delay(20);
    expect(isServed()).toBe(false);
    request.destroy();
  });
});
