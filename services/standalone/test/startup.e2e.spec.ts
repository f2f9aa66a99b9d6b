import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** Starts ragmesh as `npm start` does, with an environment that cannot work. */
function start(environment: Record<string, string>): { status: number | null; said: string } {
  const env = { PATH: process.env['PATH'], RAGMESH_DATA_DIR: dataDir, APP_EMBEDDINGS_BACKEND: 'mock', ...environment };
  const run = spawnSync(process.execPath, ['services/standalone/dist/main.js'], {
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
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
