import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { BlobCollector } from '../src/adapters/blob-collector.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

/** More than fail in a row before a round ends. */
const STUCK = 6;

let stored: DocumentDatabase;
let blobs: FolderBlobStore;
let collector: BlobCollector;

beforeAll(async () => {
  stored = await startDocumentDatabase();
  blobs = new FolderBlobStore(join(stored.folder, 'blobs'));
  collector = new BlobCollector(stored.database, blobs, createLogger('document', 'silent'));
});
afterAll(async () => {
  await collector?.onModuleDestroy();
  await stored?.stop();
});

async function put(text: string): Promise<string> {
  async function* bytes() {
    yield Buffer.from(text);
  }
  const staged = await blobs.stage(bytes(), 1_000);
  await blobs.publish('t', staged);
  await blobs.discard(staged);
  return staged.key;
}
const garbage = async (): Promise<string[]> => {
  const { rows } = await stored.database.query<{ key: string }>('SELECT blob_key AS key FROM blob_garbage ORDER BY 1');
  return rows.map(({ key }) => key);
};

it('neither blobs that cannot be removed nor the files of others keep a blob from being removed', async () => {
  const key = await put('Nobody refers to this.');
  const stuck = Array.from({ length: STUCK }, (_, number) => `0${number.toString(16).padStart(63, '0')}`);
  for (const name of stuck) await mkdir(join(stored.folder, 'blobs', 't', '00', name, 'held'), { recursive: true });
  await mkdir(join(stored.folder, 'blobs', '100% of somebody', 'else'), { recursive: true });
  await writeFile(join(stored.folder, 'blobs', '100% of somebody', 'else', 'notes.txt'), 'x');
  await stored.database.query(`INSERT INTO blob_garbage SELECT 't', unnest($1::text[])`, [[...stuck, key]]);
  await collector.onApplicationBootstrap();
  await eventually('only what cannot be removed is left', async () => (await garbage()).length === STUCK);
  expect(await garbage()).toEqual(stuck);
});

it('abandoned blobs that cannot be removed keep no other abandoned one from being removed', async () => {
  const key = await put('Its upload was given up.');
  const stuck = Array.from({ length: STUCK }, (_, number) => `1${number.toString(16).padStart(63, '0')}`);
  for (const name of stuck) await mkdir(join(stored.folder, 'blobs', 't', '10', name, 'held'), { recursive: true });
  for (const name of [...stuck, key]) blobs.abandoned.add({ tenant: 't', key: name });
  await eventually('only what cannot be removed is left', async () => blobs.abandoned.size === STUCK);
  await expect(blobs.size('t', key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
});
