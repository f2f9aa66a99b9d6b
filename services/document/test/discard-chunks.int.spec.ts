import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventsV1 } from '@ragmesh/contracts';
import type { Delivery, Message } from '@ragmesh/messaging';
import { inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { ChunkRepository } from '../src/adapters/chunk.repository.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import { DiscardChunks } from '../src/consumers/discard-chunks.handler.js';
import type { DocumentConfig } from '../src/document.config.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

let stored: DocumentDatabase;
let database: Database;
beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
});
afterAll(() => stored.stop());

it('chunks are discarded beside a deletion, and neither waits for the other in a circle', async () => {
  const outbox = new Outbox(database, 'document');
  const config = { INGESTION_IN_FLIGHT: 8, INGESTION_IN_FLIGHT_SHARED: 8 } as DocumentConfig;
  const ingestion = new IngestionProcess(database, new WaitingIngestions(database), config);
  const discarding = new DiscardChunks(new ChunkRepository(database), ingestion);
  const caller = { tenant: 't', requestId: 'r', subject: 'x' };
  await inContext(caller, () =>
    outbox.transaction(async (tx, { publish }) => {
      tx.write(`INSERT INTO document (tenant, id, collection, title, status, version)
                VALUES ('t', 'd', 'c', 't', 'processing', 1)`);
      tx.write(`INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes,
                  sha256, blob_key, chunk_size, chunk_overlap)
                VALUES ('t', 'd', 1, 'text', '', 'text/plain', 1, 's', 'b', 200, 20)`);
      await ingestion.begin(tx, publish, { id: 'd', version: 1, collection: 'c', isUpdate: false });
    }),
  );
  const message = { tenant: 't', payload: { documentId: 'd', version: 1n } } as Message<eventsV1.DiscardChunks>;
  const commit: Delivery['commit'] = (work) =>
    outbox.transaction(async (tx, { publish }) => (await work(tx, publish)) ?? { kind: 'ack' });

  let discarded: Promise<unknown> = Promise.resolve();
  await database.transaction(async (deletion) => {
    await deletion.query(`SELECT FROM document WHERE tenant = 't' AND id = 'd' FOR NO KEY UPDATE`);
    discarded = inContext(caller, () => discarding.handle(message, { commit } as Delivery));
    discarded.catch(() => undefined); // awaited below
    await eventually('it waits for the document', async () => {
      const waits = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
      return (await database.query(waits)).rowCount > 0;
    });
    await deletion.query(`UPDATE document_version SET blob_key = '' WHERE tenant = 't' AND document_id = 'd'`);
  });
  await discarded;
  const { rows } = await database.query('SELECT blob_key, chunks FROM document_version');
  expect(rows).toEqual([{ blob_key: '', chunks: 0 }]);
});

it('a book of 20 million characters is read, cut, kept and told of without holding the event loop up', async () => {
  const script = fileURLToPath(new URL('chunk-in-turns.mjs', import.meta.url));
  const run = (number: number): Record<string, number> =>
    JSON.parse(execFileSync(process.execPath, [script, stored.url, `book-${number}`], { encoding: 'utf8' }));
  const { longest, chunks, batches, events } = await withinAttempts(3, run, (turns) => turns['longest']! < 20);
  expect(chunks).toBeGreaterThan(100_000);
  expect(events).toBe(batches);
  expect(longest).toBeLessThan(20);
});
