import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { Database, createPool, type SqlResult } from '@ragmesh/postgres';
import { ChunkRepository } from '../src/adapters/chunk.repository.js';
import { ContentReader } from '../src/adapters/content-reader.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { TextExtractor } from '../src/adapters/text-extractor.js';
import { documentConfig } from '../src/document.config.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const tenant = 'acme';
const texts = ['Eins. Zwei. Drei.', 'Otto. Fips. Karl. Hans.'] as const;

/** Lets something happen right before the statement of this number, as it would by another session. */
class InterruptedDatabase extends Database {
  #left = Infinity;
  #happen!: () => Promise<void>;

  interrupt(statement: number, happen: () => Promise<void>): void {
    this.#left = statement;
    this.#happen = happen;
  }

  override async query<R>(sql: string, values?: readonly unknown[]): Promise<SqlResult<R>> {
    this.#left -= 1;
    if (this.#left === 0) await this.#happen();
    return super.query<R>(sql, values);
  }
}

let stored: DocumentDatabase;
let database: InterruptedDatabase;
let blobs: FolderBlobStore;
let chunks: ChunkRepository;
let generations: GenerationRepository;
let extractor: TextExtractor;
let reader: ContentReader;
let documents = 0;
let id: string;

/** A version with a chunk of each sentence. */
async function addVersion(version: number, text: string): Promise<void> {
  const blob = await blobs.stage(Readable.from([Buffer.from(text)]), 1000);
  await blobs.publish(tenant, blob);
  await stored.database.query(
    `INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256, blob_key,
       text_blob_key, chunk_size, chunk_overlap, chunks)
     VALUES ($1, $2, $3, 'text', '', 'text/plain', $4, $5, $5, $5, 100, 0, $6)`,
    [tenant, id, version, blob.bytes, blob.key, sentences(text).length],
  );
  await addChunks(version, 0, sentences(text));
}

const sentences = (text: string): string[] => text.split(/(?<=\.) /);

/** Pieces that follow one another in a text, a blank between two. */
async function addChunks(version: number, generation: number, pieces: readonly string[]): Promise<void> {
  let at = 0;
  const spans = pieces.map((piece) => {
    const span = [at, at + piece.length, null, null] as const;
    at += piece.length + 1;
    return span;
  });
  await stored.database.transaction((tx) => chunks.add(tx, { tenant, documentId: id, version, generation }, [spans]));
}

/** What the end of an ingestion does: the new version is shown and the one before is removed, its content with it. */
async function update(): Promise<void> {
  const before = `SELECT blob_key FROM document_version WHERE document_id = $1`;
  const { rows } = await stored.database.query<{ blob_key: string }>(before, [id]);
  await addVersion(2, texts[1]);
  await stored.database.transaction(async (tx) => {
    tx.write('UPDATE document SET version = 2, live_version = 2 WHERE id = $1', [id]);
    for (const table of ['chunk_batch', 'document_version'])
      await tx.query(`DELETE FROM ${table} WHERE document_id = $1 AND version = 1`, [id]);
  });
  await blobs.remove(tenant, rows[0]!.blob_key);
}

/** The end of a reindex that cuts each document into one chunk; what was shown before is not kept. */
async function reindex(): Promise<void> {
  const place = { tenant, collection: id, generation: 1 };
  await stored.database.transaction((tx) => generations.add(tx, place, { chunking: null, model: null }));
  await addChunks(1, 1, [texts[0]]);
  await stored.database.transaction((tx) => Promise.resolve(generations.show(tx, place)));
  await generations.remove({ ...place, generation: 0 });
}

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = new InterruptedDatabase(createPool(stored.url));
  blobs = new FolderBlobStore(join(stored.folder, 'blobs'));
  chunks = new ChunkRepository(database);
  generations = new GenerationRepository(stored.database);
  extractor = new TextExtractor(blobs, loadConfig(documentConfig, {}));
  reader = new ContentReader(new DocumentRepository(database), chunks, blobs, extractor);
});
afterAll(async () => {
  await extractor.onModuleDestroy();
  await database.close();
  await stored.stop();
});
beforeEach(async () => {
  database.interrupt(Infinity, update);
  id = `d${(documents += 1)}`;
  await stored.database.query(
    `INSERT INTO document (tenant, id, collection, title, status, version, live_version) VALUES ($1, $2, $2, '', 'ready', 1, 1)`,
    [tenant, id],
  );
  await addVersion(1, texts[0]);
});

const listed = async (): Promise<string[]> =>
  (await reader.chunkPage(tenant, id, undefined, 100)).chunks.map(({ text }) => text);

describe.each([1, 2])('a document that is always ready, when something is shown before statement %i', (statement) => {
  it('has all chunks of the version before an update or of the one after it', async () => {
    database.interrupt(statement, update);
    expect([sentences(texts[0]), sentences(texts[1])]).toContainEqual(await listed());
  });

  it('has all chunks of one generation', async () => {
    database.interrupt(statement, reindex);
    expect([sentences(texts[0]), [texts[0]]]).toContainEqual(await listed());
  });

  it('has its content', async () => {
    database.interrupt(statement, update);
    expect(texts).toContain(await textOf((await reader.original(tenant, id)).pieces));
    expect(texts).toContain(await textOf((await reader.text(tenant, id)).pieces));
  });
});

it('a list of chunks goes on in the cut it began with, and is to be begun again in another', async () => {
  const first = await reader.chunkPage(tenant, id, undefined, 2);
  const next = { cut: first.cut, ordinal: first.nextOrdinal! };
  expect((await reader.chunkPage(tenant, id, next, 2)).chunks.map(({ text }) => text)).toEqual(['Drei.']);
  await reindex();
  const refusal = {
    code: 'REQUEST.INVALID',
    message: expect.stringContaining('begin the list again'),
    details: { field: 'cursor' },
  };
  await expect(reader.chunkPage(tenant, id, next, 2)).rejects.toMatchObject(refusal);
  await update();
  await expect(reader.chunkPage(tenant, id, next, 2)).rejects.toMatchObject(refusal);
});

it('content that a deletion has taken away is gone', async () => {
  await stored.database.query(`UPDATE document SET status = 'deleting' WHERE id = $1`, [id]);
  await stored.database.query(
    `UPDATE document_version SET blob_key = '', text_blob_key = NULL WHERE document_id = $1`,
    [id],
  );
  for (const read of [reader.original(tenant, id), reader.text(tenant, id)])
    await expect(read).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
});

it('a document that failed has no text to wait for, and says why', async () => {
  await stored.database.query(`UPDATE document SET status = 'failed', live_version = NULL, error = $2 WHERE id = $1`, [
    id,
    JSON.stringify({ code: 'DOCUMENT.NO_TEXT', message: 'The pages are pictures.' }),
  ]);
  for (const read of [() => reader.text(tenant, id), listed])
    await expect(read()).rejects.toMatchObject({
      code: 'DOCUMENT.FAILED',
      retry: 'permanent',
      message: expect.stringContaining('The pages are pictures.'),
      details: { reason: 'DOCUMENT.NO_TEXT' },
    });
});
