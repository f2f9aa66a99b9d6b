import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seeded } from '@ragmesh/testing';
import { backup } from '../../../backup/backup.js';
import type { Manifest } from '../../../backup/manifest.js';
import { openInstallation, openTarget } from '../../../backup/open-installation.js';
import { readManifest } from '../../../backup/read-backup.js';
import { restore } from '../../../backup/restore.js';
import { newDataDir, removeDataDir, startMesh, type Mesh } from './mesh-fixture.js';

const CALLERS = 4;
const DOCUMENTS = 40;

let [dataDir, elsewhere, folder] = ['', '', ''];
let manifest: Manifest;
/** Accepted before the backup began, and not touched again after. */
let untouched: string[];

const environmentOf = (place: string): Record<string, string> => ({ RAGMESH_DATA_DIR: place });
const restoreTo = (place: string, from = folder): Promise<Manifest> =>
  restore(from, () => openTarget(environmentOf(place)));

async function backUp(to: string): Promise<Manifest> {
  const installation = await openInstallation(environmentOf(dataDir));
  return backup(installation, to).finally(() => installation.close());
}

/** What an operator's command says. @throws Error when it does not end well. */
async function command(place: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], ...environmentOf(place) };
  return (await promisify(execFile)(process.execPath, ['dist/backup/main.js', ...args], { env })).stdout;
}

/** Callers who create, replace and delete documents until told to stop. */
async function load({ api }: Mesh, during: () => Promise<void>): Promise<void> {
  const random = seeded(7);
  let done = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!done) {
      const id = `document-${Math.floor(random() * DOCUMENTS)}`;
      if (random() < 0.25) await api.call('DELETE', `/v1/documents/${id}`);
      else await api.call('PUT', `/v1/documents/${id}`, { text: `Version ${random()} of ${id}. `.repeat(40) });
      await delay(5);
    }
  });
  try {
    await during();
  } finally {
    done = true;
    await Promise.all(callers);
  }
}

async function drill(): Promise<void> {
  const mesh = await startMesh(dataDir);
  try {
    untouched = [];
    for (let number = 0; number < 5; number += 1) {
      const { body } = await mesh.api.upload({
        id: `kept-${number}`,
        text: `Notice period ${number} is ${number} days.`,
      });
      untouched.push(String(body['id']));
    }
    await load(mesh, async () => {
      await delay(1_500);
      expect(await command(dataDir, 'backup', '--to', folder)).toContain(`The backup is in ${folder}.`);
      await delay(500);
    });
    manifest = await readManifest(folder);
    expect(await mesh.oracle.violations()).toEqual([]);
  } finally {
    await mesh.close();
  }
}

beforeAll(async () => {
  [dataDir, elsewhere, folder] = [await newDataDir(), await newDataDir(), await newDataDir()];
  await drill();
});
afterAll(() => Promise.all([dataDir, elsewhere, folder].map(removeDataDir)));

describe('a backup taken under load', () => {
  it('names how far every topic is, and what was copied', async () => {
    expect(manifest.positions.length).toBeGreaterThan(0);
    expect(manifest.positions.filter(({ handled, end }) => handled > end)).toEqual([]);
    expect(manifest.databases.map(({ service }) => service).toSorted()).toHaveLength(8);
    expect(manifest.blobs.count).toBeGreaterThan(0);
    const files = await readdir(folder, { recursive: true });
    for (const { tables } of manifest.databases) for (const { file } of tables) expect(files).toContain(file.path);
  });

  it('is restored elsewhere, where the oracle holds and answers are found', async () => {
    expect(await command(elsewhere, 'restore', '--from', folder)).toMatch(/^Restored 8 databases and \d+ blobs\./m);
    const restored = await startMesh(elsewhere);
    try {
      expect(await restored.oracle.violations()).toEqual([]);
      for (const id of untouched) expect((await restored.api.terminal(id)).status).toBe('ready');
      const { body } = await restored.api.call('POST', '/v1/search', { query: 'Notice period 3', top_k: 3 });
      expect(JSON.stringify(body)).toContain('kept-3');
      const again = await restored.api.upload({ id: 'new', text: 'Written after the restore.' });
      expect(again.status).toBe(202);
      expect((await restored.api.terminal('new')).status).toBe('ready');
    } finally {
      await restored.close();
    }
  });

  it('is not restored over another installation, nor taken into a folder that holds something', async () => {
    await expect(restoreTo(elsewhere)).rejects.toMatchObject({ code: 'BACKUP.TARGET_NOT_EMPTY' });
    await expect(backUp(folder)).rejects.toMatchObject({ code: 'BACKUP.TARGET_NOT_EMPTY' });
  });

  it('is refused before anything is written when it is damaged, cut short or of a newer release', async () => {
    const [copy, target] = [join(folder, '..', `${Date.now()}-copy`), `${elsewhere}-refused`];
    const harmed = async (harm: () => Promise<unknown>, says: RegExp): Promise<void> => {
      await rm(copy, { recursive: true, force: true });
      await cp(folder, copy, { recursive: true });
      await harm();
      await expect(restoreTo(target, copy)).rejects.toThrow(says);
    };
    const change = (path: string, edit: (text: string) => string): Promise<void> =>
      readFile(join(copy, path), 'latin1').then((text) => writeFile(join(copy, path), edit(text), 'latin1'));
    const file = manifest.databases[1]!.tables[0]!.file.path;
    const blob = (await readdir(join(folder, 'blobs'), { recursive: true })).find((name) => name.length > 60)!;
    try {
      await harmed(() => rm(join(copy, 'manifest.json')), /did not get to its end/);
      await harmed(
        () => change('manifest.json', (text) => text.replace('"format": 1', '"format": 2')),
        /newer release/,
      );
      await harmed(
        () => change('manifest.json', (text) => text.replace(/2026\d+_\w+/, '20990101000000_x')),
        /20990101000000_x/,
      );
      await harmed(() => change(file, (text) => `${text.slice(0, -1)}x`), /damaged/);
      await harmed(() => change(join('blobs', blob), (text) => `x${text.slice(1)}`), /damaged/);
      await harmed(() => rm(join(copy, file)), /lacks the file/);
      expect(await readdir(target).catch(() => 'nothing')).toBe('nothing');
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });

  it('is taken of a stopped installation, too', async () => {
    const second = await newDataDir();
    try {
      const { databases, blobs } = await backUp(second);
      expect(databases).toHaveLength(8);
      expect(blobs.count).toBeGreaterThan(0);
    } finally {
      await removeDataDir(second);
    }
  });
});
