import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRagmeshError } from '@ragmesh/errors';
import { ParserProcesses } from '../../services/document/src/adapters/parser/parser-process.js';
import { bombs, type Bomb } from './bombs.js';

const splitting = { chunkSize: 200, overlap: 20 };

let folder: string;
let parsers: ParserProcesses;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-bombs-'));
  parsers = new ParserProcesses();
});
afterAll(async () => {
  await parsers.close();
  await rm(folder, { recursive: true, force: true });
});

async function read(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  try {
    const { chunks } = await parsers.parse({ path, fileName: name, outputPath: `${path}.text`, splitting });
    for await (const { text } of chunks) expect(text).not.toMatch(/root:|ami-id|hahaha/);
    return 'ready';
  } catch (error) {
    if (!isRagmeshError(error)) throw error;
    return error.code;
  } finally {
    await rm(path);
  }
}

describe('a file that is a bomb', () => {
  it.each<Bomb>([...bombs])('is read or refused within the limits: $what', async ({ name, bytes, ends }) => {
    expect(bytes.length).toBeLessThan(20 * 1024 * 1024);
    expect(await read(name, bytes)).toMatch(ends);
    await rm(join(folder, `${name}.text`), { force: true });
    expect(await readdir(folder)).toEqual([]);
    expect(existsSync('/tmp/ragmesh-slip')).toBe(false);
  });

  it('harms no file after it', async () => {
    expect(await read('next.txt', Buffer.from('Still here.'))).toBe('ready');
  });
});
