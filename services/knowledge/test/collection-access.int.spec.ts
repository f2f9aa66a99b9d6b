import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { migrateService } from '@ragmesh/bootstrap';
import { catalogue, decodePayload, vectorV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { GuardedClients } from '@ragmesh/grpc';
import { asService, inContext, type AccessList } from '@ragmesh/observability';
import { Outbox } from '@ragmesh/outbox';
import { Database, EmbeddedPostgres, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { CollectionRepository } from '../src/adapters/collection.repository.js';
import { ChangeCollectionAccess } from '../src/commands/change-collection-access.js';
import { DeleteCollection } from '../src/commands/delete-collection.js';
import { knowledgeService } from '../src/knowledge.service.js';

const WAITING = `
  SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()`;

const refused = (): Promise<never> =>
  Promise.reject(new RagmeshError('DEPENDENCY.UNAVAILABLE', 'No answer came in time.'));

/** Vector and document as their neighbour sees them: the revisions they were told, and what becomes of the calls. */
const told: number[] = [];
let answers: { index: () => Promise<unknown>; documents: () => Promise<unknown> };
/** What the document service was told of uploads: whether it may take none. */
const seals: { sealed: boolean; revision: bigint }[] = [];
const tell = async (revision: bigint, answer: () => Promise<unknown>): Promise<unknown> => {
  told.push(Number(revision));
  return answer();
};
const clients = {
  of: (service: unknown) =>
    service === vectorV1.VectorService
      ? { restrictAccess: ({ revision }: { revision: bigint }) => tell(revision, answers.index) }
      : {
          restrictCollection: ({ revision }: { revision: bigint }) => tell(revision, answers.documents),
          sealCollection: (request: { sealed: boolean; revision: bigint }) => {
            seals.push(request);
            return answers.documents();
          },
        },
} as unknown as GuardedClients;

let [folder, server, database]: [string?, EmbeddedPostgres?, Database?] = [];
let collections: CollectionRepository;
let changing: ChangeCollectionAccess;
let deleting: DeleteCollection;

const asAdmin = <T>(work: () => T): T =>
  inContext({ tenant: 't', requestId: 'r', subject: 'x' }, () => asService(work));
const make = (): Promise<void> => collections.create('t', 'hr', 'HR', {});
const set = (access: AccessList): Promise<void> => asAdmin(() => changing.run('hr', access));
const remove = (): Promise<void> => asAdmin(() => deleting.run('hr'));
const lastTold = (): number => told.at(-1)!;

/** Lists others were told of by events, the last one last. */
async function published(): Promise<{ access: AccessList; revision: number }[]> {
  const sql = 'SELECT value FROM outbox WHERE topic = $1 ORDER BY id';
  const { rows } = await database!.query<{ value: Buffer }>(sql, [catalogue.accessChanged.topic]);
  return rows.map(({ value }) => {
    const { restricted, principals = [], revision = 0n } = decodePayload(catalogue.accessChanged, value).access ?? {};
    return { access: restricted ? principals : null, revision: Number(revision) };
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-knowledge-'));
  server = await EmbeddedPostgres.start(folder);
  const url = server.url('ragmesh_knowledge');
  await migrateService(knowledgeService, url);
  database = new Database(createPool(url));
  collections = new CollectionRepository(database);
  const outbox = new Outbox(database, 'knowledge');
  changing = new ChangeCollectionAccess(outbox, collections, clients);
  deleting = new DeleteCollection(outbox, collections, changing, clients);
});
afterAll(async () => {
  await database?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  for (const table of ['collection', 'deleted_collection', 'outbox']) await database!.query(`DELETE FROM ${table}`);
  told.length = 0;
  seals.length = 0;
  answers = { index: async () => ({}), documents: async () => ({}) };
  await make();
});

describe('a list of a collection that becomes narrower', () => {
  it('is what it was everywhere when others refuse it, under a revision above the refused one', async () => {
    answers.documents = refused;
    await expect(set(['jwt:ada'])).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await asAdmin(() => collections.get('t', 'hr'))).toMatchObject({ access: null });
    expect(await published()).toEqual([{ access: null, revision: lastTold() + 1 }]);
  });

  it('is taken back only once both have answered', async () => {
    let hide: (answer: unknown) => void = () => undefined;
    const hidden = new Promise((resolve) => (hide = resolve));
    answers = { index: () => hidden, documents: refused };
    const change = set(['jwt:ada']).catch((error: unknown) => error);
    expect(await Promise.race([change, delay(300, 'under way')])).toBe('under way');
    expect(await published()).toEqual([]);
    hide({});
    expect(await change).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await published()).toHaveLength(1);
  });

  it('keeps nobody waiting while the index is silent, however many do', async () => {
    let answer: (answer: unknown) => void = () => undefined;
    const silence = new Promise((resolve) => (answer = resolve));
    answers.index = () => silence;
    const ids = Array.from({ length: 12 }, (_, at) => `open-${at}`);
    for (const id of ids) await collections.create('t', id, id, {});
    const changes = ids.map((id) => asAdmin(() => changing.run(id, ['jwt:ada'])));
    await eventually('the index is told of some', () => told.length >= 20); // as the document service is
    expect(await asAdmin(() => collections.get('t', 'open-0'))).toMatchObject({ access: null });
    await asAdmin(() => collections.update('t', 'open-0', { title: 'Still there' }));
    answer({});
    await Promise.all(changes);
    expect(await asAdmin(() => collections.get('t', 'open-0'))).toMatchObject({ access: ['jwt:ada'] });
  });

  it('is hidden when its change is answered, also when it is widened and narrowed by others meanwhile', async () => {
    await set(['jwt:ada', 'jwt:bob']);
    const before = lastTold();
    let answer: (answer: unknown) => void = () => undefined;
    const silence = new Promise((resolve) => (answer = resolve));
    answers.index = () => (answers.index = async () => ({})) && silence;
    const change = set(['jwt:ada']);
    await eventually('the index is told', () => lastTold() > before);
    const first = lastTold();
    await set(null);
    answer({});
    await change;
    expect(lastTold()).toBeGreaterThan(first);
    expect((await published()).at(-1)).toEqual({ access: ['jwt:ada'], revision: lastTold() });
  });
});

describe('a collection that is deleted', () => {
  const removed = (): Promise<unknown> => remove().catch((error: unknown) => error);

  it('takes no uploads from before the commit until the deletion has been told of', async () => {
    await set(['jwt:ada']);
    const before = lastTold();
    await remove();
    const [sealed, opened] = seals;
    expect(seals.map((seal) => seal.sealed)).toEqual([true, false]);
    expect(Number(sealed!.revision)).toBeGreaterThan(before);
    expect(opened!.revision).toBeGreaterThan(sealed!.revision);
    expect(opened!.revision).toBe(BigInt((await published()).at(-1)!.revision));
  });

  it('stays with its list when the document service cannot say that it is empty, and takes uploads again', async () => {
    await set(['jwt:ada']);
    answers.documents = refused;
    expect(await removed()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await asAdmin(() => collections.get('t', 'hr'))).toMatchObject({ access: ['jwt:ada'] });
    const { access, revision } = (await published()).at(-1)!;
    expect(access).toEqual(['jwt:ada']);
    expect(revision).toBeGreaterThan(Number(seals.at(-1)!.revision));
  });

  it('keeps nobody waiting while the document service is silent, however many are deleted', async () => {
    let answer: (answer: unknown) => void = () => undefined;
    const silence = new Promise((resolve) => (answer = resolve));
    answers.documents = () => silence;
    const ids = Array.from({ length: 12 }, (_, at) => `empty-${at}`);
    for (const id of ids) await collections.create('t', id, id, {});
    const deletions = ids.map((id) => asAdmin(() => deleting.run(id)));
    await eventually('the document service is asked for some', () => seals.length >= 10);
    expect(await asAdmin(() => collections.get('t', 'empty-0'))).toMatchObject({ title: 'empty-0' });
    await asAdmin(() => collections.update('t', 'empty-0', { title: 'Still there' }));
    answer({});
    await Promise.all(deletions);
  });

  it('stays, and takes uploads again, when its list was changed while the document service was asked', async () => {
    await set(['jwt:ada']);
    let answer: (answer: unknown) => void = () => undefined;
    const silence = new Promise((resolve) => (answer = resolve));
    answers.documents = () => silence;
    const ended = removed();
    await eventually('the document service is asked', () => seals.length > 0);
    await set(null);
    answer({});
    expect(await ended).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
    expect(await asAdmin(() => collections.get('t', 'hr'))).toMatchObject({ access: null });
    const { access, revision } = (await published()).at(-1)!;
    expect(access).toBeNull();
    expect(revision).toBeGreaterThan(Number(seals.at(-1)!.revision));
  });

  it('stays as it is, and nobody is told anything, when the document service says that it holds some', async () => {
    await set(['jwt:ada']);
    const before = await published();
    answers.documents = () => Promise.reject(new RagmeshError('COLLECTION.NOT_EMPTY', 'It holds some.', { id: 'hr' }));
    expect(await removed()).toMatchObject({ code: 'COLLECTION.NOT_EMPTY' });
    expect(await asAdmin(() => collections.get('t', 'hr'))).toMatchObject({ access: ['jwt:ada'] });
    expect(await published()).toEqual(before);
  });
});

describe('a collection that is made again', () => {
  it('begins open everywhere, and its lists are newer than those of before', async () => {
    for (const access of [['jwt:ada'], null, ['jwt:ada']]) await set(access);
    const before = lastTold();
    await remove();
    const { access, revision } = (await published()).at(-1)!;
    expect(access).toBeNull();
    expect(revision).toBeGreaterThan(before);
    await make();
    await set(['jwt:bob']);
    expect(lastTold()).toBeGreaterThan(revision);
  });

  it.each([
    ['by a request', make],
    ['by a document', () => database!.transaction((tx) => collections.hold(tx, 't', 'hr'))],
  ])('%s is so also while its deletion is still being committed', async (_, makeAgain) => {
    for (const access of [['jwt:ada'], null]) await set(access);
    let made: Promise<void> | undefined;
    const kept = await database!.transaction(async (tx) => {
      const list = await collections.delete(tx, 't', 'hr');
      await tx.query('SELECT'); // the deletion has been done, but for the commit
      made = makeAgain();
      await eventually('the making waits for the deletion', async () => (await database!.query(WAITING)).rowCount > 0);
      return list.access_revision;
    });
    await made;
    await set(['jwt:bob']);
    expect(lastTold()).toBeGreaterThan(kept);
  });

  it('goes on from the last of several deletions', async () => {
    await remove();
    await make();
    await set(['jwt:ada']);
    await remove();
    await make();
    await set(['jwt:bob']);
    const revisions = (await published()).map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((one, other) => one - other));
  });
});
