import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { catalogue, decodePayload, type vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { GuardedClients } from '@ragmesh/grpc';
import { asService, inContext } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import type { Database } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
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

const refused = (): Promise<never> =>
  Promise.reject(new RagmeshError('DEPENDENCY.UNAVAILABLE', 'No answer came in time.'));

/** The index as its neighbour sees it: what it was told of documents, whom it shows them to, and what becomes of the calls. */
const index = {
  told: [] as vectorV1.RestrictAccessRequest[],
  shown: { principals: [] as string[], revision: 0n },
  answer: async (): Promise<unknown> => ({}),
};
const clients = {
  of: () => ({
    restrictAccess: (request: vectorV1.RestrictAccessRequest) => {
      index.told.push(request);
      if (request.revision < index.shown.revision) return refused();
      index.shown = request;
      return index.answer();
    },
  }),
} as unknown as GuardedClients;

let stored: DocumentDatabase;
let database: Database;
let changing: ChangeDocumentAccess;
let accepting: AcceptDocument;

const asAdmin = <T>(work: () => T): T =>
  inContext({ tenant: 't', requestId: 'r', subject: 'x' }, () => asService(work));

async function upload(text: string, access: readonly string[], id = 'd'): Promise<void> {
  const header = {
    id,
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
  for (const table of ['document', 'document_version', 'outbox', 'saga', 'waiting_ingestion'])
    await database.query(`DELETE FROM ${table}`);
  index.told = [];
  index.shown = { principals: [], revision: 0n };
  index.answer = async () => ({});
  await upload('The first words.', before);
});

describe('a list that becomes narrower', () => {
  it('is what it was everywhere when no answer of the index came, though the index may have done it', async () => {
    index.answer = refused;
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

  it('keeps nobody waiting while the index is silent, however many do', async () => {
    const ids = Array.from({ length: 24 }, (_, at) => `d${at}`);
    for (const id of ids) await upload('The first words.', before, id);
    const silence = Promise.withResolvers<unknown>();
    index.answer = () => silence.promise;
    const changes = ids.map((id, at) =>
      at % 2 ? upload('Other words.', narrower, id) : asAdmin(() => changing.run(id, narrower)),
    );
    await eventually('the index is told of some', () => index.told.length >= 10);
    const documents = new DocumentRepository(database);
    expect(await asAdmin(() => documents.get('t', 'd0'))).toMatchObject({ status: 'uploaded', access: before });
    await upload('Words of somebody else.', before, 'another');
    silence.resolve({});
    await Promise.all(changes);
    const { rows } = await database.query('SELECT DISTINCT access FROM document WHERE id = ANY($1)', [ids]);
    expect(rows).toEqual([{ access: narrower }]);
  });

  it('is hidden by the index when its change is answered, also when another process changes it meanwhile', async () => {
    const answers = Array.from({ length: 2 }, () => Promise.withResolvers<unknown>());
    index.answer = () => answers[index.told.length - 1]?.promise ?? Promise.resolve({});
    const elsewhere = new ChangeDocumentAccess(
      new Outbox(database, 'document'),
      new DocumentRepository(database),
      clients,
    );
    const first = asAdmin(() => changing.run('d', ['group:a'])).then(() => index.shown.principals);
    await eventually('the index was told of one', () => index.told.length === 1);
    const second = asAdmin(() => elsewhere.run('d', ['group:b'])).then(() => index.shown.principals);
    await eventually('the index was told of the other', () => index.told.length === 2);
    answers[0]!.resolve({});
    expect(await first).not.toContain('group:b');
    answers[1]!.resolve({});
    expect(await second).not.toContain('group:a');
    expect(await listed()).toEqual({ access: ['group:b'], version: 1 });
    expect((await published()).at(-1)).toEqual({ principals: ['group:b'], revision: Number(index.shown.revision) });
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
