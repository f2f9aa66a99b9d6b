import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SERVICE_KEY_FILE, keptServiceKey } from './service-key.js';

describe('the key an installation makes for itself', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'ragmesh-key-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('is the same at every start, and leaves nothing else behind', async () => {
    const key = await keptServiceKey(folder);
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(await keptServiceKey(folder)).toBe(key);
    expect(await readdir(folder)).toEqual([SERVICE_KEY_FILE]);
  });

  it.each(['', '\n'])('is made anew where a full disk left %j of it', async (left) => {
    await writeFile(join(folder, SERVICE_KEY_FILE), left);
    const key = await keptServiceKey(folder);
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(await keptServiceKey(folder)).toBe(key);
  });

  it('is one, however many ask for it first', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => keptServiceKey(folder)));
    expect(new Set(keys).size).toBe(1);
  });
});
