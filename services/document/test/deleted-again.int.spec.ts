import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { uploadMessages } from './upload-messages.js';

const tenant = 'acme';
let mesh: ServiceMesh;
let folder: string;

const ask = <T>(call: (client: ReturnType<typeof mesh.client<typeof documentV1.DocumentService>>) => T): T =>
  mesh.as(tenant, () => call(mesh.client(documentV1.DocumentService)));

async function upload(id: string, text = `What ${id} says.`): Promise<void> {
  await ask((client) => client.upload(uploadMessages({ id }, text)));
}

/** @returns the id of the operation, once the index has answered and the document is gone. */
async function deleted(id: string): Promise<string> {
  const operation = await ask((client) => client.deleteDocument({ id }));
  const answer = { documentId: id, collection: 'default', version: 0n, pointsRemoved: 3n };
  await mesh.send(catalogue.vectorDeleted, answer, { tenant, consumer: 'document' });
  return operation.id;
}

const operation = (id: string) => ask((client) => client.getOperation({ id }));
const page = (limit: number, cursor = '') => ask((client) => client.listDocuments({ limit, cursor }));
const idsOf = ({ documents }: documentV1.ListDocumentsResponse): string[] => documents.map(({ id }) => id);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-again-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder });
});
afterAll(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a deletion tells what it did also when its document was uploaded again, and is none where there was none', async () => {
  await upload('a');
  await expect(operation('deletion-1-a')).rejects.toMatchObject({ code: 'OPERATION.NOT_FOUND' });
  const id = await deleted('a');
  expect(id).toBe('deletion-1-a');
  const done = { status: 'deleted', done: true, progress: 1, version: 1n };
  const receipt = { points_removed: 3, blobs_removed: 1 };
  expect(await operation(id)).toMatchObject({ ...done, receipt });

  await upload('a');
  expect(await operation(id)).toMatchObject({ ...done, receipt });
  expect(await operation('ingestion-2-a')).toMatchObject({ status: expect.stringMatching(/uploaded|processing/) });
  await expect(operation('deletion-2-a')).rejects.toMatchObject({ code: 'OPERATION.NOT_FOUND' });
  await deleted('a');
});

it('a deletion does not end with the late answer to an earlier one of the same id', async () => {
  await upload('c');
  await deleted('c');
  await upload('c');
  const { id } = await ask((client) => client.deleteDocument({ id: 'c' }));
  const answer = { documentId: 'c', collection: 'default', version: 0n };
  const told = { tenant, consumer: 'document' } as const;
  await mesh.send(catalogue.vectorDeleted, { ...answer, pointsRemoved: 3n, deadVersion: 1n }, told);
  expect(await operation(id)).toMatchObject({ status: 'deleting', done: false });
  await mesh.send(catalogue.vectorDeleted, { ...answer, pointsRemoved: 5n, deadVersion: 2n }, told);
  expect(await operation(id)).toMatchObject({ status: 'deleted', receipt: { points_removed: 5, blobs_removed: 1 } });
});

it('a list goes on where it was when its last document was uploaded anew', async () => {
  for (const id of ['1', '2', '3', '4', '5']) await upload(id);
  const first = await page(2);
  expect(idsOf(first)).toEqual(['5', '4']);
  await deleted('4');
  const second = await page(1, first.nextCursor);
  expect(idsOf(second)).toEqual(['3']);
  await upload('4');
  expect(idsOf(await page(9, first.nextCursor))).toEqual(['3', '2', '1']);
  expect(idsOf(await page(9, second.nextCursor))).toEqual(['2', '1']);
  expect(idsOf(await page(9))).toEqual(['4', '5', '3', '2', '1']);
});

it('a list of documents with all the metadata they may have ends its pages before they are too large for a message', async () => {
  const metadata = { note: '字'.repeat(65_500) }; // counted in characters, sent in bytes
  await ask((client) => client.upload(uploadMessages({ id: 'large', collection: 'large', metadata }, 'One of many.')));
  await mesh.database('document').query(
    `INSERT INTO document (tenant, id, collection, title, status, version, metadata, created_at)
     SELECT tenant, id || n, collection, title, status, version, metadata, created_at
     FROM document, generate_series(1, 87) n WHERE id = 'large'`,
    [],
  );
  const seen: string[] = [];
  let cursor = '';
  do {
    const answer = await ask((client) => client.listDocuments({ collection: 'large', limit: 200, cursor }));
    seen.push(...idsOf(answer));
    cursor = answer.nextCursor;
  } while (cursor !== '');
  expect(seen.length).toBe(88);
  expect(new Set(seen).size).toBe(88);
});

it('a list refuses a cursor it did not give', async () => {
  const refusal = { code: 'REQUEST.INVALID', details: { field: 'cursor' } };
  await expect(page(2, 'of nobody')).rejects.toMatchObject(refusal);
  for (const cursor of ['8', btoa('1 0 -1'), btoa('1 0 2147483648')])
    await expect(ask((client) => client.listChunks({ id: '1', cursor }))).rejects.toMatchObject(refusal);
});
