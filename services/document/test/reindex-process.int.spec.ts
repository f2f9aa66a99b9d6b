import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { GenerationRepository } from '../src/adapters/generation.repository.js';
import { ReindexProcess } from '../src/commands/reindex-process.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const away = { code: 'EMBEDDING.UNAVAILABLE', message: 'The embedding model is still being loaded.' };
const gone = { code: 'MODEL.NOT_FOUND', message: 'There is no such model.' };
let stored: DocumentDatabase;
let database: Database;
let reindex: ReindexProcess;
let generations: GenerationRepository;

const asCaller = <T>(work: () => T): T => inContext({ tenant: 't', requestId: 'r', subject: 'x' }, work);
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
