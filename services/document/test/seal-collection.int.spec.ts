import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { documentV1, knowledgeV1 } from '@ragmesh/contracts';
import { asService, inContext } from '@ragmesh/observability';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { uploadMessages } from './upload-messages.js';

let mesh: ServiceMesh;
let folder: string;
let hr: string;
let cases = 0;

const documents = () => mesh.client(documentV1.DocumentService);
const knowledge = () => mesh.client(knowledgeV1.KnowledgeService);
const asStranger = <T>(work: () => T): T =>
  inContext({ requestId: 'r', tenant: 'acme', subject: 'jwt:bob', principals: ['jwt:bob'] }, work);
const asAdmin = <T>(work: () => T): T => mesh.as('acme', () => asService(work));
const sealed = { code: 'DEPENDENCY.UNAVAILABLE', retry: 'transient', details: { retryAfter: 5 } };
const notEmpty = { code: 'COLLECTION.NOT_EMPTY', details: { documents: 1 } };

function upload(id: string, collection: string, as = asAdmin) {
  const messages = uploadMessages({ id, collection, replace: true }, `The text of ${id}.`);
  return as(() => documents().upload(messages));
}

const remove = () => asAdmin(() => knowledge().deleteCollection({ id: hr }));
const listed = async () => (await asAdmin(() => knowledge().getCollection({ id: hr }))).access;

/** How many sessions of the document service wait for a lock of this kind. */
async function waiting(event: string): Promise<number> {
  const sql = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1`;
  return (await mesh.database('document').query(sql, [event])).rowCount;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-seal-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder, INGESTION_IN_FLIGHT: '1' });
  await mesh.run(knowledgeService);
  // Nobody embeds it, so it stays on its way, and what comes after it waits.
  await upload('first', 'other');
});
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  hr = `hr-${(cases += 1)}`;
  await asAdmin(() => knowledge().createCollection({ id: hr }));
});

/** The index is not there, so a list is given as the event would: what narrows is told to it first. */
async function restrict(): Promise<void> {
  const sql = `UPDATE collection SET access = '{jwt:ada}', access_revision = access_revision + 1 WHERE id = $1`;
  await mesh.database('knowledge').query(sql, [hr]);
}

describe('the deletion of a collection', () => {
  it('is refused while an upload to it waits to begin, or was called off before it began and may be tried again', async () => {
    await restrict();
    const { id } = await upload('waits', hr);
    await expect(remove()).rejects.toMatchObject(notEmpty);
    await asAdmin(() => documents().cancelDocument({ id }));
    await eventually('it is called off', async () => {
      return (await asAdmin(() => documents().getDocument({ id }))).status === 'failed';
    });
    await expect(remove()).rejects.toMatchObject(notEmpty);
    expect(await listed()).toMatchObject({ restricted: true, principals: ['jwt:ada'] });
  });

  it('waits for an upload that is being taken in, and is refused', async () => {
    await restrict();
    const { uploading, removing } = await mesh.database('document').transaction(async (tx) => {
      await tx.query('LOCK TABLE document_version IN EXCLUSIVE MODE');
      const begun = upload(`late-${hr}`, hr);
      await eventually('the upload is held up', async () => (await waiting('relation')) > 0);
      const ended = remove().catch((error: unknown) => error);
      await eventually('the deletion waits', async () => (await waiting('advisory')) > 0);
      return { uploading: begun, removing: ended };
    });
    expect(await uploading).toMatchObject({ version: 1n });
    expect(await removing).toMatchObject(notEmpty);
    expect(await listed()).toMatchObject({ restricted: true });
  });

  it('lets uploads in again once it is done, to a collection made again', async () => {
    await restrict();
    await remove();
    expect(await upload(`again-${hr}`, hr)).toMatchObject({ version: 1n });
  });
});

describe('a sealed collection', () => {
  it('has uploads come again later, by those who may know of it, until a list of a higher revision comes', async () => {
    const seal = (revision: bigint) =>
      asAdmin(() => documents().sealCollection({ collection: hr, revision, sealed: true }));
    const restricted = (revision: bigint) =>
      asAdmin(() => documents().restrictCollection({ collection: hr, principals: ['jwt:ada'], revision }));
    await seal(5n);
    await expect(upload(`shut-${hr}`, hr)).rejects.toMatchObject(sealed);
    await restricted(5n); // of a change that failed before
    await expect(upload(`shut-${hr}`, hr)).rejects.toMatchObject(sealed);
    await expect(upload(`shut-${hr}`, hr, asStranger)).rejects.toMatchObject({ code: 'COLLECTION.NOT_FOUND' });
    await restricted(6n);
    expect(await upload(`open-${hr}`, hr)).toMatchObject({ version: 1n });
    await expect(seal(5n)).rejects.toMatchObject({ code: 'COLLECTION.NOT_EMPTY' });
  });

  it('takes uploads again after a minute without a word of its deletion, and none when it is sealed again', async () => {
    const seal = () => asAdmin(() => documents().sealCollection({ collection: hr, revision: 5n, sealed: true }));
    const minutePasses = (of: string) =>
      mesh
        .database('document')
        .query(`UPDATE collection_access SET sealed_until = sealed_until - interval '1 minute' WHERE collection = $1`, [
          of,
        ]);
    await seal();
    await minutePasses(hr);
    await seal();
    await expect(upload(`early-${hr}`, hr)).rejects.toMatchObject(sealed);
    await minutePasses(hr);
    expect(await upload(`late-${hr}`, hr)).toMatchObject({ version: 1n });
  });
});
