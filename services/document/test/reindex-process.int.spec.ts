import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { ChunkRepository } from '../src/adapters/chunk.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { TextExtractor } from '../src/adapters/text-extractor.js';
import { CutDocument } from '../src/commands/cut-document.js';
import { ReindexProcess } from '../src/commands/reindex-process.js';
import { documentConfig } from '../src/document.config.js';
import type { Reindex } from '../src/sagas/reindex.saga.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const away = { code: 'EMBEDDING.UNAVAILABLE', message: 'The embedding model is still being loaded.' };
const gone = { code: 'MODEL.NOT_FOUND', message: 'There is no such model.' };
let stored: DocumentDatabase;
let database: Database;
let reindex: ReindexProcess;
let generations: GenerationRepository;

const asCaller = <T>(work: () => T): T => inContext({ tenant: 't', requestId: 'r', subject: 'x' }, work);
async function* textOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

const seen = async (generation: number) => {
  const row = await generations.find('t', 'c', generation);
  return { state: row?.state, ...row?.operation };
};

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  generations = new GenerationRepository(database);
  reindex = new ReindexProcess(new Outbox(database, 'document'), generations, new DocumentRepository(database));
  await database.query(`INSERT INTO document (tenant, id, collection, title, status, version, live_version)
    VALUES ('t', 'd', 'c', 't', 'ready', 1, 1)`);
});
afterAll(() => stored.stop());

it('a reindex reads the documents of its collection only, however many the tenant has beside them', async () => {
  await database.query(`INSERT INTO document (tenant, id, collection, title, status, version)
    SELECT 't', 'other-' || n, 'others', 't', 'ready', 1 FROM generate_series(1, 5000) AS n`);
  await database.query('ANALYZE document');
  const { rows } = await database.transaction(async (tx) => {
    const documents = new DocumentRepository(tx as unknown as Database);
    expect(await documents.countLive('t', 'c')).toBe(1);
    await documents.sampleLive('t', 'c', 50);
    await generations.show(tx, { tenant: 't', collection: 'c', generation: 0 });
    return tx.query<{ read: number }>(
      `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname = 'document'`,
    );
  });
  expect(rows[0]!.read).toBeLessThan(10);
});

it('a document that is sent to a generation again is sent in the batches that are kept, however they were cut', async () => {
  const blobs = new FolderBlobStore(join(stored.folder, 'blobs'));
  const extractor = new TextExtractor(blobs, loadConfig(documentConfig, {}));
  const staged = await blobs.stage(textOf('Three words here'), 1_000);
  await blobs.publish('t', staged);
  await database.query(
    `INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256, blob_key,
       text_blob_key, chunk_size, chunk_overlap) VALUES ('t', 'd', 1, 'text', 'a', 'text/plain', 16, $1, $1, $1, 400, 0)`,
    [staged.key],
  );
  const kept = [
    [[0, 5]],
    [
      [6, 11],
      [12, 16],
    ],
  ].map((spans) => spans.map((span) => [...span, null, '', {}]));
  await database.query(
    `INSERT INTO chunk_batch (tenant, document_id, version, generation, batch, spans)
     SELECT 't', 'd', 1, 9, ord - 1, spans FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS t(spans, ord)`,
    [JSON.stringify(kept)],
  );
  const chunks = new ChunkRepository(database);
  const cutting = new CutDocument(new DocumentRepository(database), chunks, generations, extractor);
  const cut = await cutting.cut({ tenant: 't', collection: 'c', generation: 9 } as Reindex, 'd', 1);
  expect(cut?.batches).toEqual(kept);
  await extractor.onModuleDestroy();
});

it('a reindex shows why a batch was given up and goes on, and ends when its model is gone', async () => {
  const generation = await asCaller(() => reindex.begin('c', { chunking: null, model: null }));
  await asCaller(() => reindex.noteFailure('d', generation, away));
  expect(await seen(generation)).toMatchObject({ state: 'building', status: 'processing', error: away });

  await asCaller(() => reindex.noteFailure('d', generation + 1, gone));
  await asCaller(() => reindex.noteFailure('no such document', generation, gone));
  expect(await seen(generation)).toMatchObject({ state: 'building', status: 'processing', error: away });

  await asCaller(() => reindex.noteFailure('d', generation, gone));
  expect(await seen(generation)).toMatchObject({ state: 'failed', status: 'failed', error: gone });
});
