import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { Database, EmbeddedPostgres, createPool } from '../src/index.js';
import { findBinaries } from '../src/embedded/binaries.js';
import { openDataFolder } from '../src/embedded/data-folder.js';
import { findPostmaster, isAlive } from '../src/embedded/postmaster.js';
import { ensureServer } from '../src/embedded/server-process.js';
import { scratchFolder } from './scratch-folder.js';

const holderProgram = fileURLToPath(new URL('holder.ts', import.meta.url));
const loader = fileURLToPath(new URL('../../../tools/register-typescript.mjs', import.meta.url));

async function startHolder(folder: string): Promise<{ process: ChildProcess; server: number; url: string }> {
  const child = spawn(process.execPath, ['--conditions=source', '--import', loader, holderProgram, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string];
  return { process: child, ...(JSON.parse(line) as { server: number; url: string }) };
}

/** Linux only. */
const environmentOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);

async function killHard(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

describe('EmbeddedPostgres', () => {
  let folder: ReturnType<typeof scratchFolder>;
  beforeEach(() => {
    folder = scratchFolder();
  });
  afterEach(() => folder.remove());

  it('keeps data over a stop and a start, and its password to itself', async () => {
    const first = await EmbeddedPostgres.start(folder.path);
    const database = new Database(createPool(first.url('postgres')));
    await database.query('CREATE TABLE kept (n bigint)');
    await database.query('INSERT INTO kept VALUES (42)');
    await database.close();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    expect(statSync(join(folder.path, 'postgres.password')).mode & 0o077).toBe(0);

    const second = await EmbeddedPostgres.start(folder.path);
    const again = new Database(createPool(second.url('postgres')));
    expect((await again.query('SELECT n FROM kept')).rows).toEqual([{ n: 42 }]);
    await again.close();
    await second.stop();
  });

  it('adopts the server of a killed process', async () => {
    const holder = await startHolder(folder.path);
    await killHard(holder.process);
    const successor = await EmbeddedPostgres.start(folder.path);
    expect(successor.wasAdopted).toBe(true);
    expect(successor.pid).toBe(holder.server);
    await successor.stop();
  });

  (process.platform === 'linux' ? it : it.skip)(
    'tells the server, which outlives it, no secret of its environment',
    async () => {
      process.env['RAGMESH_SPEC_SECRET'] = 'planted';
      const embedded = await EmbeddedPostgres.start(folder.path);
      delete process.env['RAGMESH_SPEC_SECRET'];
      const names = environmentOf(embedded.pid).map((entry) => entry.split('=')[0]);
      await embedded.stop();
      expect(names).toContain('PATH');
      expect(names).not.toContain('RAGMESH_SPEC_SECRET');
    },
  );

  it('refuses a second ragmesh on the same folder and names the first', async () => {
    const holder = await startHolder(folder.path);
    await expect(EmbeddedPostgres.start(folder.path)).rejects.toMatchObject({
      code: 'CONFIG.DATA_DIR_IN_USE',
      message: `Another ragmesh (pid ${holder.process.pid}) uses the data folder ${folder.path}. Stop it or set RAGMESH_DATA_DIR.`,
    });
    await killHard(holder.process);
    await (await EmbeddedPostgres.start(folder.path)).stop();
  });

  it('starts over a stale pid file after the server was killed too', async () => {
    const holder = await startHolder(folder.path);
    await killHard(holder.process);
    process.kill(holder.server, 'SIGKILL');
    await eventually('the server is dead', () => !isAlive(holder.server));
    const successor = await EmbeddedPostgres.start(folder.path);
    expect(successor.wasAdopted).toBe(false);
    await successor.stop();
  });

  it('brings a server back that dies under it, on the same port', async () => {
    const embedded = await EmbeddedPostgres.start(folder.path);
    const url = embedded.url('postgres');
    const killed = embedded.pid;
    process.kill(killed, 'SIGKILL');
    await eventually('the server is started again', () => embedded.pid !== killed);
    expect(embedded.url('postgres')).toBe(url);
    const database = new Database(createPool(url));
    await eventually('it answers', () => database.query('SELECT 1').catch(() => undefined));
    await database.close();
    await embedded.stop();
  });

  it('leaves none behind that it was bringing back when it was stopped', async () => {
    const embedded = await EmbeddedPostgres.start(folder.path);
    const killed = embedded.pid;
    process.kill(killed, 'SIGKILL');
    await eventually('the next server starts', () => {
      const found = findPostmaster(openDataFolder(folder.path).cluster);
      return typeof found === 'object' && found.pid !== killed;
    });
    await embedded.stop();
    expect(isAlive(embedded.pid)).toBe(false);
    expect(typeof findPostmaster(openDataFolder(folder.path).cluster)).not.toBe('object');
  });

  it('never brings it back on another port, where nobody would look for it', async () => {
    const embedded = await EmbeddedPostgres.start(folder.path);
    await embedded.stop();
    const taken = createServer();
    await once(taken.listen(0, '127.0.0.1'), 'listening');
    const { port } = taken.address() as AddressInfo;
    const data = openDataFolder(folder.path);
    const { postgres } = await findBinaries();
    const { uid, gid } = statSync(data.cluster);
    await expect(
      ensureServer(data, { postgres, user: uid === 0 ? undefined : { uid, gid } }, port),
    ).rejects.toMatchObject({
      code: 'STORAGE.UNAVAILABLE',
    });
    taken.close();
  });

  it('leaves none behind that it has started and cannot use', async () => {
    await (await EmbeddedPostgres.start(folder.path)).stop();
    writeFileSync(join(folder.path, 'postgres.password'), 'another');
    await expect(EmbeddedPostgres.start(folder.path)).rejects.toThrow(/password/);
    expect(typeof findPostmaster(openDataFolder(folder.path).cluster)).not.toBe('object');
  });

  it('says in one sentence that the folder cannot be written', async () => {
    const file = join(folder.path, 'file');
    writeFileSync(file, '');
    await expect(EmbeddedPostgres.start(join(file, 'data'))).rejects.toMatchObject({
      code: 'CONFIG.DATA_DIR_UNWRITABLE',
      message: expect.stringMatching(/^The data folder .* cannot be written \(ENOTDIR\)\. Set RAGMESH_DATA_DIR/),
    });
  });
});
