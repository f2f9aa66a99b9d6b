import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { catalogue, knowledgeV1 } from '@ragmesh/contracts';
import { documentService } from '@ragmesh/service-document';
import { knowledgeService } from '../src/knowledge.service.js';
import { ServiceMesh } from './service-mesh.js';

const consumer = 'knowledge';
let mesh: ServiceMesh;
let folder: string;
let tenants = 0;
let tenant: string;

const knowledge = () => mesh.client(knowledgeV1.KnowledgeService);
const asTenant = <T>(work: () => T): T => mesh.as(tenant, work);
const get = (id: string) => asTenant(() => knowledge().getCollection({ id }));
const send = {
  created: (documentId: string, version: bigint, collection: string) =>
    mesh.send(catalogue.documentCreated, { documentId, version, collection }, { tenant, consumer }),
  ready: (documentId: string, version: bigint, collection: string, chunks: number, times = 1) =>
    mesh.send(
      catalogue.documentReady,
      { documentId, version, collection, chunks, title: documentId },
      { tenant, consumer, times },
    ),
  recut: (documentId: string, version: bigint, collection: string, chunks: number, shownAt = 0n) =>
    mesh.send(
      catalogue.collectionRecut,
      { collection, generation: 1, documents: [{ documentId, version, chunks }], shownAt },
      { tenant, consumer },
    ),
  deleted: (documentId: string, version: bigint, collection: string) =>
    mesh.send(catalogue.documentDeleted, { documentId, version, collection }, { tenant, consumer }),
};
const counts = async (id: string) => {
  const { documents, chunks } = await get(id);
  return { documents, chunks };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-collections-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder });
  await mesh.run(knowledgeService);
});
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Each case has a tenant of its own. */
const newTenant = () => (tenant = `tenant-${(tenants += 1)}`);

describe('collections', () => {
  it('are created, read with what they were created with, and refused a second time', async () => {
    newTenant();
    const metadata = { owner: 'people', tags: ['hr'] };
    await asTenant(() => knowledge().createCollection({ id: 'handbook', title: 'Staff handbook', metadata }));
    expect(await get('handbook')).toMatchObject({
      id: 'handbook',
      title: 'Staff handbook',
      metadata,
      documents: 0n,
      chunks: 0n,
    });
    const again = asTenant(() => knowledge().createCollection({ id: 'handbook' }));
    await expect(again).rejects.toMatchObject({ code: 'COLLECTION.ID_TAKEN', details: { id: 'handbook' } });
  });

  it('get an id when none is given, and refuse one that does not fit into a URL', async () => {
    newTenant();
    const { id } = await asTenant(() => knowledge().createCollection({ title: 'Unnamed' }));
    expect(await get(id)).toMatchObject({ title: 'Unnamed' });
    const bad = asTenant(() => knowledge().createCollection({ id: '../etc' }));
    await expect(bad).rejects.toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'id' } });
  });

  it('include the default one from the start', async () => {
    newTenant();
    const { collections } = await asTenant(() => knowledge().listCollections({}));
    expect(collections.map(({ id }) => id)).toEqual(['default']);
    const taken = asTenant(() => knowledge().createCollection({ id: 'default' }));
    await expect(taken).rejects.toMatchObject({ code: 'COLLECTION.ID_TAKEN' });
  });

  it('take a word with combining marks as an id', async () => {
    newTenant();
    const id = '\u0939\u093f\u0928\u094d\u0926\u0940';
    expect(await asTenant(() => knowledge().createCollection({ id }))).toMatchObject({ id });
  });

  it('of one tenant are not there for another', async () => {
    newTenant();
    await asTenant(() => knowledge().createCollection({ id: 'secret' }));
    newTenant();
    await expect(get('secret')).rejects.toMatchObject({ code: 'COLLECTION.NOT_FOUND' });
    const gone = asTenant(() => knowledge().deleteCollection({ id: 'secret' }));
    await expect(gone).rejects.toMatchObject({ code: 'COLLECTION.NOT_FOUND' });
  });

  it('are listed newest first, page by page, each once, also when one of them is deleted meanwhile', async () => {
    newTenant();
    await get('default');
    for (const id of ['a', 'b', 'c', 'd', 'e']) await asTenant(() => knowledge().createCollection({ id }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await asTenant(() => knowledge().listCollections({ limit: 2, cursor }));
      seen.push(...page.collections.map(({ id }) => id));
      if (cursor === '') await asTenant(() => knowledge().deleteCollection({ id: 'd' }));
      cursor = page.nextCursor;
    } while (cursor !== '');
    expect(seen).toEqual(['e', 'd', 'c', 'b', 'a', 'default']);
    const made = asTenant(() => knowledge().listCollections({ cursor: 'made-up' }));
    await expect(made).rejects.toMatchObject({ code: 'REQUEST.INVALID', details: { field: 'cursor' } });
  });
});

describe('collections of much metadata', () => {
  it('are listed, fewer on a page, each once', async () => {
    newTenant();
    await get('default');
    const ids = Array.from({ length: 17 }, (_, index) => `large-${index}`);
    const metadata = { note: 'x'.repeat(2 ** 20) };
    for (const id of ids) await asTenant(() => knowledge().createCollection({ id, metadata }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await asTenant(() => knowledge().listCollections({ limit: 200, cursor }));
      seen.push(...page.collections.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== '');
    expect(seen).toEqual([...ids.toReversed(), 'default']);
  });

  it('are listed also where one alone is above the limit of a page', async () => {
    newTenant();
    await get('default');
    await asTenant(() => knowledge().createCollection({ id: 'huge', metadata: { note: 'x'.repeat(5 * 2 ** 20) } }));
    const first = await asTenant(() => knowledge().listCollections({}));
    expect(first.collections.map(({ id }) => id)).toEqual(['huge']);
    const second = await asTenant(() => knowledge().listCollections({ cursor: first.nextCursor }));
    expect(second).toMatchObject({ collections: [{ id: 'default' }], nextCursor: '' });
  });
});

describe('the catalogue', () => {
  it('counts documents and chunks of the newest ready version, once however often it is told', async () => {
    newTenant();
    await send.created('d1', 1n, 'notes');
    expect(await counts('notes')).toEqual({ documents: 0n, chunks: 0n });
    await send.ready('d1', 1n, 'notes', 3, 2);
    await send.ready('d1', 3n, 'notes', 7);
    await send.ready('d1', 2n, 'notes', 5);
    await send.ready('d2', 1n, 'notes', 10);
    expect(await counts('notes')).toEqual({ documents: 2n, chunks: 17n });
  });

  it('counts chunks as readers see them cut, also when it is told of that before it is told of their version', async () => {
    newTenant();
    await send.ready('d1', 1n, 'notes', 3);
    await send.ready('d2', 2n, 'notes', 10);
    await send.recut('d1', 1n, 'notes', 5);
    await send.recut('d2', 1n, 'notes', 99);
    expect(await counts('notes')).toEqual({ documents: 2n, chunks: 15n });
    await send.recut('d2', 3n, 'notes', 20);
    await send.ready('d2', 3n, 'notes', 12);
    expect(await counts('notes')).toEqual({ documents: 2n, chunks: 25n });
    await send.deleted('d1', 1n, 'notes');
    await send.recut('d1', 1n, 'notes', 3);
    expect(await counts('notes')).toEqual({ documents: 1n, chunks: 20n });
  });

  it('counts chunks as they were cut last, also when word of an earlier cut was put off', async () => {
    newTenant();
    await send.ready('d1', 1n, 'notes', 3);
    await send.recut('d1', 1n, 'notes', 4, 2n);
    await send.recut('d1', 1n, 'notes', 5, 1n);
    expect(await counts('notes')).toEqual({ documents: 1n, chunks: 4n });
    await send.recut('d1', 1n, 'notes', 6, 3n);
    expect(await counts('notes')).toEqual({ documents: 1n, chunks: 6n });
  });

  it('does not bring a deleted document back, in whichever order its events come', async () => {
    newTenant();
    await send.deleted('late', 1n, 'notes');
    await send.ready('late', 1n, 'notes', 3);
    await send.created('late', 1n, 'notes');
    expect(await counts('notes')).toEqual({ documents: 0n, chunks: 0n });
    await send.deleted('late', 2n, 'notes');
    await send.ready('late', 2n, 'notes', 3);
    expect(await counts('notes')).toEqual({ documents: 0n, chunks: 0n });
  });

  it('shows a document that was created anew after its deletion, although the deletion is heard of last', async () => {
    newTenant();
    await send.ready('again', 2n, 'notes', 4);
    await send.deleted('again', 1n, 'notes');
    expect(await counts('notes')).toEqual({ documents: 1n, chunks: 4n });
  });

  it('keeps a collection from being deleted while it holds a document, ready or not', async () => {
    newTenant();
    await send.created('d1', 1n, 'busy');
    const refused = () => asTenant(() => knowledge().deleteCollection({ id: 'busy' }));
    await expect(refused()).rejects.toMatchObject({ code: 'COLLECTION.NOT_EMPTY', details: { documents: 1 } });
    await send.ready('d1', 1n, 'busy', 2);
    await expect(refused()).rejects.toMatchObject({ code: 'COLLECTION.NOT_EMPTY' });
    await send.deleted('d1', 1n, 'busy');
    await refused();
    await expect(get('busy')).rejects.toMatchObject({ code: 'COLLECTION.NOT_FOUND' });
  });

  it('never ends with a document outside of any collection when a deletion meets an upload', async () => {
    newTenant();
    for (let round = 0; round < 10; round += 1) {
      const id = `raced-${round}`;
      await asTenant(() => knowledge().createCollection({ id }));
      const deletion = asTenant(() => knowledge().deleteCollection({ id })).catch(() => undefined);
      await Promise.all([send.created(`doc-${round}`, 1n, id), deletion]);
      expect(await get(id)).toMatchObject({ id });
    }
  });
});
