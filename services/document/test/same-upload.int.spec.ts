import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { catalogue, decodePayload } from '@ragmesh/contracts';
import { inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { CollectionAccess } from '../src/adapters/collection-access.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { AcceptDocument, type Accepted, type Upload } from '../src/commands/accept-document.js';
import { ChangeDocumentAccess } from '../src/commands/change-document-access.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import { KnownDocument } from '../src/commands/known-document.js';
import { RetryDocument } from '../src/commands/retry-document.js';
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
let outbox: Outbox;
let documents: DocumentRepository;
let ingestion: IngestionProcess;
let accepting: AcceptDocument;

const asAda = <T>(work: () => T): T =>
  inContext({ tenant: 't', requestId: 'r', subject: 'x', principals: ['jwt:ada'] }, work);

function upload(header: Upload, text = 'The notice period is six months.'): Promise<Accepted> {
  async function* bytes() {
    yield Buffer.from(text);
  }
  return asAda(() => accepting.run(header, bytes(), new AbortController().signal));
}

const tell = (version: number, input: Parameters<typeof ingestion.deliver>[4]): Promise<boolean> =>
  asAda(() => outbox.transaction((tx, { publish }) => ingestion.deliver(tx, publish, 'd', version, input)));

/** A version is in the index, and the index is asked to show it. */
async function indexed(version: number): Promise<void> {
  await tell(version, { kind: 'step-done', step: 'chunk', data: { chunks: 1, batches: 1 } });
  await tell(version, { kind: 'step-done', step: 'index' });
}

/** The index has answered that readers see it. */
const shown = (version: number): Promise<boolean> => tell(version, { kind: 'step-done', step: 'show' });

const seen = async (): Promise<object> => {
  const { title, metadata, version, live_version, status } = await asAda(() => documents.get('t', 'd'));
  return { title, metadata, version, live_version, status };
};

/** Titles that `document.ready` told of. */
async function told(): Promise<(string | undefined)[]> {
  const sql = 'SELECT value FROM outbox WHERE topic = $1 ORDER BY id';
  const { rows } = await database.query<{ value: Buffer }>(sql, [catalogue.documentReady.topic]);
  return rows.map(({ value }) => decodePayload(catalogue.documentReady, value).title);
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
  documents = new DocumentRepository(database);
  outbox = new Outbox(database, 'document');
  const changing = new ChangeDocumentAccess(outbox, documents, { of: () => undefined } as never);
  const known = new KnownDocument(documents, new CollectionAccess(database), changing);
  ingestion = new IngestionProcess(database, new WaitingIngestions(database), config);
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

  it('are a document of their own when the one they were of is replaced in the same moment', async () => {
    const anonymous = { ...first, id: '', replace: false };
    const { id } = await upload(anonymous);
    const [replacing, uploading] = await database.transaction(async (tx) => {
      await tx.query('LOCK TABLE document_version IN EXCLUSIVE MODE');
      const waiting = async (): Promise<number> =>
        (await database.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'`)).rowCount;
      const replaced = upload({ ...first, id }, 'The notice period is a year.');
      await eventually('the replacement is held up', async () => (await waiting()) === 1);
      const uploaded = upload(anonymous);
      await eventually('the upload waits for it', async () => (await waiting()) === 2);
      return [replaced, uploaded];
    });
    expect(await replacing).toMatchObject({ id, version: 2, deduplicated: false });
    const own = await uploading;
    expect(own).toMatchObject({ version: 1, deduplicated: false });
    expect(own.id).not.toBe(id);
    expect(await upload(anonymous)).toMatchObject({ id: own.id, deduplicated: true });
  });
});

describe('other bytes under the same id', () => {
  const { title, metadata } = first;
  const renamed = { ...first, title: 'Terms', metadata: { area: 'law' } };
  const again = { ...first, title: 'Rules', metadata: {} };

  it('are called what their upload says once readers see them, and the same again before', async () => {
    await indexed(1);
    await shown(1);
    await upload(renamed, 'Other words.');
    expect(await seen()).toEqual({ title, metadata, version: 2, live_version: 1, status: 'uploaded' });
    expect(await upload(renamed, 'Other words.')).toMatchObject({ version: 2, deduplicated: true });
    await indexed(2);
    await upload(again, 'Words of a third kind.');
    await shown(2);
    const { title: second, metadata: its } = renamed;
    expect(await seen()).toMatchObject({ title: second, metadata: its, version: 3, live_version: 2 });
    await indexed(3);
    await shown(3);
    expect(await seen()).toEqual({ title: 'Rules', metadata: {}, version: 3, live_version: 3, status: 'ready' });
    expect(await told()).toEqual([title, second, 'Rules']);
  });

  it('leave the title and the metadata as they were when they cannot be read, tried again or not', async () => {
    await indexed(1);
    await shown(1);
    await upload(renamed, 'Other words.');
    await tell(2, { kind: 'step-failed', error: { code: 'DOCUMENT.EMPTY', message: 'No text.' } });
    expect(await seen()).toEqual({ title, metadata, version: 2, live_version: 1, status: 'failed' });
    await asAda(() => new RetryDocument(outbox, documents, ingestion).run('d'));
    expect(await seen()).toMatchObject({ title, metadata, version: 3, live_version: 1 });
    await indexed(3);
    await shown(3);
    expect(await seen()).toMatchObject({ title: 'Terms', metadata: { area: 'law' }, live_version: 3 });
  });

  it('are what readers see also when the index answers late for a version before', async () => {
    await indexed(1);
    await upload(renamed, 'Other words.');
    await indexed(2);
    await database.query('UPDATE document SET live_version = 2');
    await shown(1);
    expect(await seen()).toMatchObject({ title: 'Terms', live_version: 2 });
    expect(await told()).toEqual([]);
  });
});
