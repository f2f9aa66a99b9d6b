import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { catalogue, decodePayload, type vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { GuardedClients } from '@ragmesh/grpc';
import { asService, inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { CollectionAccess } from '../src/adapters/collection-access.repository.js';
import { DocumentRepository } from '../src/adapters/document.repository.js';
import { FolderBlobStore } from '../src/adapters/folder-blob-store.js';
import { WaitingIngestions } from '../src/adapters/waiting-ingestions.js';
import { AccessGrpcController } from '../src/api/access.grpc-controller.js';
import { AcceptDocument } from '../src/commands/accept-document.js';
import { ChangeDocumentAccess } from '../src/commands/change-document-access.js';
import { IngestionProcess } from '../src/commands/ingestion-process.js';
import { KnownDocument } from '../src/commands/known-document.js';
import type { DocumentConfig } from '../src/document.config.js';
import { startDocumentDatabase, type DocumentDatabase } from './document-database.js';

const before = ['group:a', 'group:b'];
const narrower = ['group:a'];
const config = {
  INGESTION_IN_FLIGHT: 8,
  INGESTION_IN_FLIGHT_SHARED: 8,
  CHUNK_SIZE: 200,
  CHUNK_OVERLAP: 20,
  DOCUMENT_MAX_BYTES: 1000,
};

/** The index as its neighbour sees it: what it was told of a document, and whether the answer comes back. */
const index = { told: [] as vectorV1.RestrictAccessRequest[], answers: true };
const clients = {
  of: () => ({
    restrictAccess: (request: vectorV1.RestrictAccessRequest) => {
      index.told.push(request);
      if (index.answers) return Promise.resolve({});
      return Promise.reject(new RagmeshError('DEPENDENCY.UNAVAILABLE', 'No answer came in time.'));
    },
  }),
} as unknown as GuardedClients;

let stored: DocumentDatabase;
let database: Database;
let changing: ChangeDocumentAccess;
let accepting: AcceptDocument;

const asAdmin = <T>(work: () => T): T =>
  inContext({ tenant: 't', requestId: 'r', subject: 'x' }, () => asService(work));

async function upload(text: string, access: readonly string[]): Promise<void> {
  const header = {
    id: 'd',
    collection: 'c',
    title: 't',
    fileName: '',
    metadata: {},
    kind: 'text',
    replace: true,
  } as const;
  async function* bytes() {
    yield Buffer.from(text);
  }
  await asAdmin(() => accepting.run({ ...header, access }, bytes(), new AbortController().signal));
}

/** Lists the index was told of by events, with their revisions. */
async function published(): Promise<{ principals: string[]; revision: number }[]> {
  const sql = 'SELECT value FROM outbox WHERE topic = $1 ORDER BY id';
  const { rows } = await database.query<{ value: Buffer }>(sql, [catalogue.accessChanged.topic]);
  return rows.map(({ value }) => {
    const { principals = [], revision = 0n } = decodePayload(catalogue.accessChanged, value).access ?? {};
    return { principals, revision: Number(revision) };
  });
}

const listed = async (): Promise<unknown> =>
  (await database.query('SELECT access, version::int FROM document WHERE id = $1', ['d'])).rows[0];

beforeAll(async () => {
  stored = await startDocumentDatabase();
  database = stored.database;
  const documents = new DocumentRepository(database);
  const outbox = new Outbox(database, 'document');
  const settings = config as DocumentConfig;
  const ingestion = new IngestionProcess(database, new WaitingIngestions(database), settings);
  changing = new ChangeDocumentAccess(outbox, documents, clients);
  const known = new KnownDocument(documents, new CollectionAccess(database), changing);
  accepting = new AcceptDocument(
    changing,
    new FolderBlobStore(join(stored.folder, 'blobs')),
    known,
    ingestion,
    settings,
  );
});
afterAll(() => stored.stop());
beforeEach(async () => {
  for (const table of ['document', 'document_version', 'outbox', 'saga']) await database.query(`DELETE FROM ${table}`);
  index.told = [];
  index.answers = true;
  await upload('The first words.', before);
});

describe('a list that becomes narrower', () => {
  it('is what it was everywhere when no answer of the index came, though the index may have done it', async () => {
    index.answers = false;
    await expect(asAdmin(() => changing.run('d', narrower))).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await listed()).toEqual({ access: before, version: 1 });
    // Above the revision of what was refused: that may still come to the index.
    expect(await published()).toEqual([{ principals: before, revision: Number(index.told[0]!.revision) + 1 }]);
  });

  it('is what it was everywhere when the version it came with is not kept', async () => {
    await database.query('ALTER TABLE document_version ADD CONSTRAINT refused CHECK (version < 2)');
    await expect(upload('Other words.', narrower)).rejects.toThrow();
    await database.query('ALTER TABLE document_version DROP CONSTRAINT refused');
    expect(index.told).toHaveLength(1);
    expect(await listed()).toEqual({ access: before, version: 1 });
    expect(await published()).toEqual([{ principals: before, revision: Number(index.told[0]!.revision) + 1 }]);
  });

  it('is told of once when it is kept', async () => {
    await upload('Other words.', narrower);
    expect(await listed()).toEqual({ access: narrower, version: 2 });
    expect(await published()).toEqual([{ principals: narrower, revision: Number(index.told[0]!.revision) }]);
  });
});

describe('a list of a collection', () => {
  it('is not answered for as kept while a newer one holds', async () => {
    const collections = new CollectionAccess(database);
    const controller = new AccessGrpcController(new DocumentRepository(database), changing, collections);
    const restrict = (revision: bigint) =>
      asAdmin(() => controller.restrict({ collection: 'c', principals: ['jwt:bob'], revision } as never));
    await collections.set('t', 'c', { access: null, revision: 2 });
    await expect(restrict(1n)).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE', retry: 'transient' });
    expect(await collections.admits('t', 'c', ['jwt:ada'])).toBe(true);
    for (let time = 0; time < 2; time += 1) expect(await restrict(3n)).toEqual({});
    expect(await collections.admits('t', 'c', ['jwt:ada'])).toBe(false);
  });
});
