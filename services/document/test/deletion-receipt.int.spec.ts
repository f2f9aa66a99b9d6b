import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { eventsV1 } from '@ragmesh/contracts';
import type { Delivery, Message } from '@ragmesh/messaging';
import { createLogger, inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { BlobCollector } from '../src/adapters/blob-collector.js';
import { ChunkRepository } from '../src/adapters/chunk.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { holdBlobRemoval } from '../src/adapters/removal-hold.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { DeleteDocument } from '../src/commands/delete-document.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import { NoteRemovedPoints } from '../src/consumers/note-removed-points.handler.js';
import type { DocumentConfig } from '../src/document.config.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const caller = { tenant: 't', requestId: 'r', subject: 'x' };
let stored: DocumentDatabase;
let database: Database;
let outbox: Outbox;
let blobs: FolderBlobStore;
let deletion: DeleteDocument;
let removing: NoteRemovedPoints;

const asCaller = <T>(work: () => Promise<T>): Promise<T> => inContext(caller, work);

async function put(text: string): Promise<string> {
  async function* bytes() {
    yield Buffer.from(text);
  }
  const staged = await blobs.stage(bytes(), 1000);
  await blobs.publish('t', staged);
  return staged.key;
}

/** A document whose upload has these bytes, and whose text is a blob of its own. */
async function given(id: string, upload = `The file ${id}.`): Promise<void> {
  const keys = [await put(upload), await put(`The text of ${id}.`)];
  await database.query(
    `INSERT INTO document (tenant, id, collection, title, status, version, live_version)
     VALUES ('t', $1, 'c', 't', 'ready', 1, 1)`,
    [id],
  );
  await database.query(
    `INSERT INTO document_version (tenant, document_id, version, kind, file_name, media_type, size_bytes, sha256,
       blob_key, text_blob_key, chunk_size, chunk_overlap)
     VALUES ('t', $1, 1, 'file', '', 'text/plain', 1, 's', $2, $3, 200, 20)`,
    [id, ...keys],
  );
}

/** The index answers. @param commit of what handles that. */
function pointsRemoved(documentId: string, commit: Delivery['commit'] = committing): Promise<unknown> {
  const payload = { documentId, version: 0n, pointsRemoved: 3n, remaining: 0n };
  const message = { tenant: 't', payload } as Message<eventsV1.VectorDeleted>;
  return asCaller(() => removing.handle(message, { commit } as Delivery));
}

const committing: Delivery['commit'] = (work) =>
  outbox.transaction(async (tx, { publish }) => (await work(tx, publish)) ?? { kind: 'ack' });

const receiptOf = async (id: string): Promise<unknown> =>
  (await database.query<{ receipt: unknown }>('SELECT receipt FROM document WHERE id = $1', [id])).rows[0]!.receipt;

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  outbox = new Outbox(database, 'document');
  blobs = new FolderBlobStore(join(stored.folder, 'blobs'));
  const config = { INGESTION_IN_FLIGHT: 8, INGESTION_IN_FLIGHT_SHARED: 8 } as DocumentConfig;
  const ingestion = new IngestionProcess(database, new WaitingIngestions(database), config);
  const collector = new BlobCollector(database, blobs, createLogger('document', 'silent'));
  const documents = new DocumentRepository(database);
  deletion = new DeleteDocument(outbox, documents, new ChunkRepository(database), collector, ingestion);
  removing = new NoteRemovedPoints(ingestion, deletion);
});
afterAll(() => stored.stop());

describe('the receipt of a deletion', () => {
  it('counts the blobs also when the service died after it had removed them', async () => {
    await given('crashed');
    await asCaller(() => deletion.run('crashed'));
    await expect(pointsRemoved('crashed', () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    await pointsRemoved('crashed');
    expect(await receiptOf('crashed')).toEqual({ points_removed: 3, chunks_removed: 0, blobs_removed: 2 });
  });

  it('counts the blobs that go once a backup has ended', async () => {
    await given('held');
    await asCaller(() => deletion.run('held'));
    const session = await database.pool.connect();
    await session.query(holdBlobRemoval);
    await pointsRemoved('held').finally(() => session.release(true));
    expect(await receiptOf('held')).toMatchObject({ blobs_removed: 2 });
  });

  it('counts blobs that several documents have with the last of them, also when they go at the same time', async () => {
    const ids = ['one', 'two', 'three'];
    for (const id of ids) await given(id, 'The same file.');
    for (const id of ids) await asCaller(() => deletion.run(id));
    await Promise.all(ids.map((id) => pointsRemoved(id)));
    const receipts = (await Promise.all(ids.map(receiptOf))) as { blobs_removed: number }[];
    expect(receipts.map((receipt) => receipt.blobs_removed).toSorted()).toEqual([1, 1, 2]);
  });
});
