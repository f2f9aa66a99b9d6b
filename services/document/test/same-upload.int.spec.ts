import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { CollectionAccess } from '../src/adapters/collection-access.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { AcceptDocument, type Accepted, type Upload } from '../src/commands/accept-document.js';
import { ChangeDocumentAccess } from '../src/commands/change-document-access.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import { KnownDocument } from '../src/commands/known-document.js';
import type { DocumentConfig } from '../src/document.config.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const config = {
  ...{ INGESTION_IN_FLIGHT: 8, INGESTION_IN_FLIGHT_SHARED: 8 },
  ...{ CHUNK_SIZE: 200, CHUNK_OVERLAP: 20, DOCUMENT_MAX_BYTES: 1000 },
} as DocumentConfig;

const first: Upload = {
  ...{ id: 'd', collection: 'c', title: 'Notice', fileName: 'notice.txt', kind: 'file', replace: true },
  ...{ metadata: { area: 'hr', year: 2024, tags: ['a'] }, chunkSize: 100, access: undefined },
};

let stored: DocumentDatabase;
let database: Database;
let accepting: AcceptDocument;

function upload(header: Upload): Promise<Accepted> {
  async function* bytes() {
    yield Buffer.from('The notice period is six months.');
  }
  return inContext({ tenant: 't', requestId: 'r', subject: 'x', principals: ['jwt:ada'] }, () =>
    accepting.run(header, bytes(), new AbortController().signal),
  );
}

const kept = async (): Promise<unknown> =>
  (
    await database.query(
      `SELECT d.title, d.metadata, v.kind, v.file_name, v.chunk_size, v.chunk_overlap
       FROM document d JOIN document_version v ON v.document_id = d.id AND v.version = d.version WHERE d.id = 'd'`,
    )
  ).rows[0];

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  const documents = new DocumentRepository(database);
  const changing = new ChangeDocumentAccess(new Outbox(database, 'document'), documents, {
    of: () => undefined,
  } as never);
  const known = new KnownDocument(documents, new CollectionAccess(database), changing);
  const ingestion = new IngestionProcess(database, new WaitingIngestions(database), config);
  accepting = new AcceptDocument(changing, new FolderBlobStore(join(stored.folder, 'blobs')), known, ingestion, config);
});
afterAll(() => stored.stop());
beforeEach(async () => {
  for (const table of ['document', 'document_version', 'outbox', 'saga']) await database.query(`DELETE FROM ${table}`);
  expect(await upload(first)).toMatchObject({ version: 1, deduplicated: false });
});

describe('the same bytes under the same id', () => {
  const changes: [string, Partial<Upload>, object][] = [
    ['metadata', { metadata: { area: 'hr', year: 2025, tags: ['a'] } }, { metadata: { year: 2025 } }],
    ['title', { title: 'Terms' }, { title: 'Terms' }],
    ['file name', { fileName: 'notice.md' }, { file_name: 'notice.md' }],
    ['kind', { kind: 'text' }, { kind: 'text' }],
    ['chunk size', { chunkSize: 64 }, { chunk_size: 64 }],
    ['overlap', { chunkOverlap: 5 }, { chunk_overlap: 5 }],
  ];

  it.each(changes)('are a new version with another %s, and from then on the same again', async (_, change, now) => {
    const other = { ...first, ...change };
    expect(await upload(other)).toMatchObject({ id: 'd', version: 2, deduplicated: false });
    expect(await kept()).toMatchObject(now);
    expect(await upload(other)).toMatchObject({ version: 2, deduplicated: true });
  });

  it.each([...changes, ['list', { access: ['jwt:ada'] }, {}] satisfies [string, Partial<Upload>, object]])(
    'are refused with another %s where nothing is to be replaced',
    async (_, change) => {
      const refused = upload({ ...first, ...change, replace: false });
      await expect(refused).rejects.toMatchObject({ code: 'DOCUMENT.ID_TAKEN', details: { id: 'd' } });
    },
  );

  it.each([true, false])('are the same document when nothing else differs, replaced or not: %s', async (replace) => {
    const metadata = { tags: ['a'], year: 2024, area: 'hr' };
    expect(await upload({ ...first, metadata, replace })).toMatchObject({ version: 1, deduplicated: true });
  });

  it('are the same document also once its title was found in the file', async () => {
    const untitled = { ...first, title: '' };
    expect(await upload(untitled)).toMatchObject({ version: 1, deduplicated: true });
    await database.query(`UPDATE document SET title = 'As the file calls itself'`);
    expect(await upload(untitled)).toMatchObject({ version: 1, deduplicated: true });
  });
});

describe('the same bytes without an id', () => {
  it('are one document, whatever else is said of them', async () => {
    const anonymous = { ...first, id: '', replace: false };
    const { id } = await upload(anonymous);
    const again = await upload({ ...anonymous, title: 'Terms', metadata: {} });
    expect(again).toMatchObject({ id, version: 1, deduplicated: true });
  });
});
