import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { freePorts } from '@ragmesh/local-servers';
import { EmbeddedPostgres } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { newDataDir, removeDataDir } from './data-dir.js';

let dataDir: string;
let taken: Server;
let running: ChildProcess | undefined;
let said = '';
beforeAll(async () => {
  dataDir = await newDataDir();
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
});
afterEach(() => void running?.kill('SIGKILL'));
afterAll(async () => {
  taken.close();
  const postgres = await EmbeddedPostgres.start(dataDir); // it survives a killed ragmesh
  await postgres.stop();
  await removeDataDir(dataDir);
});

/** Runs what `npm run mesh` runs. */
function start(environment: Record<string, string> = {}): ChildProcess {
  said = '';
  running = spawn(process.execPath, ['services/mesh/dist/main.js'], {
    env: {
      PATH: process.env['PATH'],
      RAGMESH_DATA_DIR: dataDir,
      MESH_LOCAL_SERVERS: 'false',
      APP_EMBEDDINGS_BACKEND: 'mock',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const output of [running.stdout!, running.stderr!])
    output.on('data', (bytes: Buffer) => (said += String(bytes)));
  return running;
}

async function ready(): Promise<number[]> {
  await eventually(
    () => `it is ready, only: ${said}`,
    () => said.includes('Ctrl+C'),
  );
  const pids = [...said.matchAll(/(?:gateway|document|knowledge|embedding|vector|retrieval|generation|model) (\d+)/g)];
  return pids.map(([, pid]) => Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm run mesh', () => {
  it('names every wrong variable of every service, each once, and leaves nothing running', async () => {
    const mesh = start({ SERVER_PORT: '8080', CHUNK_SIZE: '3', VECTOR_STORE: 'none', LOG_LEVEL: 'loud' });
    const [code] = (await once(mesh, 'close')) as [number];
    expect(code).toBe(1);
    for (const name of ['CHUNK_SIZE', 'VECTOR_STORE', 'LOG_LEVEL'])
      expect(said.match(new RegExp(`^  ${name} must`, 'gm'))).toHaveLength(1);
  });

  it('names the port that is taken', async () => {
    const { port } = taken.address() as AddressInfo;
    const mesh = start({ SERVER_PORT: String(port) });
    const [code] = (await once(mesh, 'close')) as [number];
    expect(code).toBe(1);
    expect(said).toContain(`Port ${port} is taken by another program. Stop it, or set SERVER_PORT to a free port.`);
  });

  it('starts eight processes, and all of them end with it, in order or when it is killed', async () => {
    const [port] = await freePorts(1);
    const killed = start({ SERVER_PORT: String(port) });
    const orphans = await ready();
    expect(orphans).toHaveLength(8);
    expect(said).toMatch(/Access +no authentication; only this machine can connect/);
    killed.kill('SIGKILL');
    await eventually('the orphans have ended', () => !orphans.some(isRunning));
    const key = `rgm_first_${'k'.repeat(43)}`;
    const again = start({ SERVER_PORT: String(port), AUTH_MODE: 'keys', RAGMESH_BOOTSTRAP_KEY: key });
    const pids = await ready();
    expect(said).toMatch(/Access +with a credential/);
    expect(said).toContain(`Status   curl -H "X-API-Key: $KEY" http://127.0.0.1:${port}/v1/documents`);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    const ended = once(again, 'close');
    again.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(pids.filter(isRunning)).toEqual([]);
  });
});
