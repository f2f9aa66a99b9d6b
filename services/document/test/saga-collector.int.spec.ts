import { expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { SagaCollector } from '../src/adapters/saga-collector.js';
import { startDocumentDatabase } from './document-database.js';

/** Newest version 3; readers see version 2. */
const DOCUMENTS = `
  INSERT INTO document (tenant, id, collection, title, status, version, live_version)
  SELECT 't', 'd' || n, 'c', 't', CASE WHEN n % 10 = 0 THEN 'deleted' ELSE 'processing' END, 3, CASE WHEN n % 10 > 0 THEN 2 END
  FROM generate_series(0, 799) AS n`;

/** Of each version one; each tenth of the newest is still open, and each tenth of the oldest ended only now. */
const SAGAS = `
  INSERT INTO saga (name, id, tenant, request_id, trace, status, step, data, deadline, updated_at)
  SELECT 'document-ingestion', 't/d' || n || '@' || v, 't', 'r', '{}', 'completed', 'show',
    jsonb_build_object('documentId', 'd' || n, 'version', v), CASE WHEN v = 3 AND n % 10 = 0 THEN now() END,
    CASE WHEN v = 1 AND n % 10 = 1 THEN now() ELSE now() - interval '31 days' END
  FROM generate_series(0, 799) AS n, generate_series(1, 3) AS v`;

const STEPS = `INSERT INTO saga_step (saga_name, saga_id, step, status) SELECT name, id, 'show', 'done' FROM saga`;

it('what sagas did is removed once they have ended long ago, for versions nobody asks for', async () => {
  const { database, stop } = await startDocumentDatabase();
  for (const sql of [DOCUMENTS, SAGAS, STEPS]) await database.query(sql);
  const collector = new SagaCollector(database, createLogger('document', 'silent'));
  while (await collector.collect());
  for (const [table, id] of [
    ['saga', 'id'],
    ['saga_step', 'saga_id'],
  ]) {
    const sql = `SELECT right(${id}, 1)::int AS version, count(*)::int AS left FROM ${table} GROUP BY 1 ORDER BY 1`;
    // Of the oldest those that ended now; of deleted documents nothing but what is still open.
    expect((await database.query(sql)).rows).toEqual([
      { version: 1, left: 80 },
      { version: 2, left: 720 },
      { version: 3, left: 800 },
    ]);
  }
  await stop();
});
