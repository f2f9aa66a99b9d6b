import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadConfig } from '@ragmesh/config';
import { catalogue } from '@ragmesh/contracts';
import type { CallOptions, GuardedClients } from '@ragmesh/grpc';
import { createLogger, currentTenant, inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { ChunkRepository } from '../src/adapters/chunk.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { GenerationIndex } from '../src/adapters/generation-index.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { TextExtractor } from '../src/adapters/text-extractor.js';
import { AdvanceReindex } from '../src/commands/advance-reindex.js';
import { BuildGeneration } from '../src/commands/build-generation.js';
import { CheckGeneration } from '../src/commands/check-generation.js';
import { CutDocument } from '../src/commands/cut-document.js';
import { ReindexProcess } from '../src/commands/reindex-process.js';
import { documentConfig } from '../src/document.config.js';
import { ReindexWorker } from '../src/sagas/reindex-worker.js';
import type { Reindex } from '../src/sagas/reindex.saga.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const away = { code: 'EMBEDDING.UNAVAILABLE', message: 'The embedding model is still being loaded.' };
const gone = { code: 'MODEL.NOT_FOUND', message: 'There is no such model.' };
let stored: DocumentDatabase;
let database: Database;
let reindex: ReindexProcess;
let generations: GenerationRepository;
let extractor: TextExtractor;

/** Vector as its neighbour sees it: what it says of a generation, and how often it was asked to open one of a tenant it never answers. */
const silent = 'silent';
const vector = { state: { documents: 1n, complete: 1n, behind: 0n, missing: [] as object[] }, unanswered: 0 };
const clients = {
  of: () => ({
    openGeneration: (_: unknown, { signal }: CallOptions) => {
      if (currentTenant() !== silent) return Promise.resolve({});
      vector.unanswered += 1;
      return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
    },
    getGeneration: async ({ limit }: { limit: number }) => ({
      ...vector.state,
      missing: vector.state.missing.slice(0, limit),
    }),
    compareGenerations: async () => ({ overlap: 1, selfRetrieval: 1, liveSelfRetrieval: 1 }),
    showGeneration: async () => ({ missing: 0n }),
  }),
} as unknown as GuardedClients;

/** What builds generations, with room for so many documents on their way. */
function building(inFlight: number): BuildGeneration {
  const config = loadConfig(documentConfig, { REINDEX_IN_FLIGHT: String(inFlight) });
  const cutting = new CutDocument(
    new DocumentRepository(database),
    new ChunkRepository(database),
    generations,
    extractor,
  );
  return new BuildGeneration(new Outbox(database, 'document'), new GenerationIndex(clients), cutting, reindex, config);
}

const asCaller = <T>(work: () => T, tenant = 't'): T => inContext({ tenant, requestId: 'r', subject: 'x' }, work);
async function* textOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

const seen = async (generation: number, tenant = 't') => {
  const row = await generations.find(tenant, 'c', generation);
  return { state: row?.state, ...row?.operation };
};

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  generations = new GenerationRepository(database);
  reindex = new ReindexProcess(new Outbox(database, 'document'), generations, new DocumentRepository(database));
  extractor = new TextExtractor(new FolderBlobStore(join(stored.folder, 'blobs')), loadConfig(documentConfig, {}));
  await database.query(`INSERT INTO document (tenant, id, collection, title, status, version, live_version)
    VALUES ('t', 'd', 'c', 't', 'ready', 1, 1)`);
});
afterAll(async () => {
  await extractor.onModuleDestroy();
  await stored.stop();
});

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

it('a look at a generation sends as much as there is room for on the way, and no more', async () => {
  const [inFlight, behind] = [20, 3];
  const ids = Array.from({ length: 40 }, (_, at) => `far-${String(at).padStart(2, '0')}`);
  const generation = await asCaller(() => reindex.begin('c', { chunking: null, model: null }));
  await database.query(
    `WITH kept AS (
       INSERT INTO document (tenant, id, collection, title, status, version, live_version)
       SELECT 't', id, 'c', 't', 'ready', 1, 1 FROM unnest($1::text[]) AS id),
     cut AS (
       INSERT INTO chunk_batch (tenant, document_id, version, generation, batch, spans)
       SELECT 't', id, 1, $2, 0, '[[0, 5, null, "", {}]]' FROM unnest($1::text[]) AS id)
     INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256, blob_key,
       text_blob_key, chunk_size, chunk_overlap)
     SELECT 't', id, 1, kind, file_name, media_type, size_bytes, sha256, blob_key, text_blob_key, chunk_size, chunk_overlap
     FROM document_version, unnest($1::text[]) AS id WHERE document_id = 'd'`,
    [ids, generation],
  );
  vector.state = { ...vector.state, complete: 0n, behind: BigInt(behind) };
  vector.state.missing = ids.map((documentId) => ({ documentId, version: 1n }));
  const sql = `SELECT data FROM saga WHERE id = 't/c' AND status = 'running'`;
  const { data } = (await database.query<{ data: Reindex }>(sql)).rows[0]!;
  await asCaller(() => building(inFlight).advance(data, 'open', new AbortController().signal));
  const { rows } = await database.query<{ key: string }>('SELECT DISTINCT key FROM outbox WHERE topic = $1', [
    catalogue.documentChunked.topic,
  ]);
  expect(rows.map(({ key }) => key).toSorted()).toEqual(ids.slice(0, inFlight - behind));
  await asCaller(() => reindex.abort('c'));
});

it('a reindex that gets no answer holds up neither those of other tenants nor the end of the process', async () => {
  vector.state = { documents: 1n, complete: 1n, behind: 0n, missing: [] };
  for (const tenant of [silent, 'quick']) {
    await database.query(
      `INSERT INTO document (tenant, id, collection, title, status, version, live_version) VALUES ($1, 'd', 'c', 't', 'ready', 1, 1)`,
      [tenant],
    );
    await asCaller(() => reindex.begin('c', { chunking: null, model: null }), tenant);
  }
  const config = loadConfig(documentConfig, { REINDEX_QUESTIONS: '0' });
  const index = new GenerationIndex(clients);
  const checking = new CheckGeneration(new DocumentRepository(database), extractor, index, generations, config);
  const logger = createLogger('document', 'silent');
  const advancing = new AdvanceReindex(reindex, building(16), checking, index, logger);
  const worker = new ReindexWorker(database, advancing, logger);
  worker.onApplicationBootstrap();
  await eventually('the one is ready', async () => (await seen(1, 'quick')).status === 'ready');
  expect(vector.unanswered).toBe(1);
  await worker.onModuleDestroy();
  expect(await seen(1, silent)).toMatchObject({ state: 'building', status: 'processing' });
});
