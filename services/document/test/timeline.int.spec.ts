import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Database } from '@ragmesh/postgres';
import { TimelineRepository } from '../src/adapters/timeline.repository.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

let stored: DocumentDatabase;
let database: Database;
let timelines: TimelineRepository;

/** A saga of each version of a document, each traced by a number of its own. */
async function addSagas(name: string, id: string, versions: number, trace: number): Promise<void> {
  await database.query(
    `WITH added AS (
       INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, created_at)
       SELECT $1, 't/' || $2 || '@' || v, 't', 'r', jsonb_build_object('traceparent', '00-' || ($4 + v) || '-1-01'),
         'completed', 'show', '{}', now() + v * interval '1 second'
       FROM generate_series(1, $3::int) AS v RETURNING name, id, created_at)
     INSERT INTO saga_step (saga_name, saga_id, step, status)
     SELECT name, id, step, 'done' FROM added, unnest(ARRAY['chunk', 'index', 'show']) AS step ORDER BY created_at`,
    [name, id, versions, trace],
  );
}

const sagasOf = async (id: string, version: number): Promise<string[]> =>
  (await timelines.steps('t', { id, version })).map((row) => `${row.saga_name} ${row.saga_id} ${row.step}`);

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  timelines = new TimelineRepository(database);
});
afterAll(() => stored.stop());

it('a timeline has the steps and the trace of its own document, whatever others are called', async () => {
  await addSagas('document-ingestion', 'x', 2, 100);
  await addSagas('document-ingestion', 'x@1', 3, 200);
  await addSagas('document-deletion', 'x@1', 1, 300);
  const own = [1, 2].flatMap((version) => ['chunk', 'index', 'show'].map((step) => `t/x@${version} ${step}`));
  expect(await sagasOf('x', 2)).toEqual(own.map((step) => `document-ingestion ${step}`));
  expect(await timelines.traceId('t', { id: 'x', version: 2 })).toBe('102');
  expect(await sagasOf('x@1', 3)).toHaveLength(12);
  expect((await sagasOf('x@1', 3)).at(-1)).toBe('document-deletion t/x@1@1 show');
});

it('a long timeline ends with the latest step', async () => {
  await addSagas('document-ingestion', 'often', 400, 1000);
  const steps = await sagasOf('often', 400);
  expect(steps).toHaveLength(1000);
  expect(steps.slice(-3)).toEqual(['chunk', 'index', 'show'].map((step) => `document-ingestion t/often@400 ${step}`));
});
