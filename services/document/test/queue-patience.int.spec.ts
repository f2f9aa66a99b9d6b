import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { catalogue, documentV1, vectorV1 } from '@ragmesh/contracts';
import { vectorService } from '@ragmesh/service-vector';
import { eventually, hastenTimers } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { embeddedBatches } from '../../vector/test/document.builder.js';
import { documentService } from '../src/document.service.js';
import { PATIENCE_EVERY_MS } from '../src/sagas/queue-patience.js';
import { uploadMessages } from './upload-messages.js';

const tenant = 'acme';
const BATCHES = 3;

let mesh: ServiceMesh;
let folder: string;

const runDocuments = () => mesh.run(documentService, { RAGMESH_DATA_DIR: folder });

async function upload(id: string, text: string): Promise<void> {
  await mesh.as(tenant, () => mesh.client(documentV1.DocumentService).upload(uploadMessages({ id }, text)));
}

/** Seconds until a document that waits for the index is given up. */
async function secondsLeft(id: string): Promise<number | undefined> {
  const sql = `SELECT extract(epoch FROM deadline - now())::float8 AS left FROM saga WHERE id = $1 AND step = 'index'`;
  const { rows } = await mesh.database('document').query<{ left: number }>(sql, [`${tenant}/${id}@1`]);
  return rows[0]?.left;
}

/** As if it had waited for all its time but so many seconds. */
const age = (id: string, seconds: number) =>
  mesh
    .database('document')
    .query(`UPDATE saga SET deadline = now() + $2 * interval '1 second' WHERE id = $1`, [`${tenant}/${id}@1`, seconds]);

beforeAll(async () => {
  hastenTimers(PATIENCE_EVERY_MS);
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-queue-patience-'));
  mesh = await ServiceMesh.start();
  await runDocuments();
});
afterAll(async () => {
  jest.restoreAllMocks();
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a document that waits behind others for the index is given up only when nothing gets there any more', async () => {
  for (const id of ['large', 'small']) await upload(id, `What is in ${id}.`);
  for (const id of ['large', 'small']) await eventually(`${id} waits for the index`, () => secondsLeft(id));
  await age('small', 60);
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_EVERY_MS));
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_EVERY_MS));
  expect(await secondsLeft('small')).toBeLessThan(61);

  const batch = { documentId: 'large', version: 1n, collection: 'default', batch: 0, batches: BATCHES, points: 1 };
  await mesh.send(catalogue.vectorIndexed, batch, { tenant, consumer: 'document' });
  await eventually('the one behind it has more time', async () => ((await secondsLeft('small')) ?? 0) > 800);
});

it('a document whose time passed while its service was away fails after the start, to be tried again, and leaves no points', async () => {
  const id = 'stuck';
  await mesh.run(vectorService);
  await upload(id, 'A sentence of many. '.repeat(15_000)); // more than one batch
  await eventually('it waits for the index', () => secondsLeft(id));
  const texts = Array.from({ length: 65 }, (_, number) => `Chunk ${number}.`);
  await mesh.send(catalogue.chunksEmbedded, embeddedBatches({ id, texts })[0]!, { tenant, consumer: 'vector' });
  const points = async () => {
    const request = { collection: 'default', documentId: id, version: 1n };
    return Number((await mesh.as(tenant, () => mesh.client(vectorV1.VectorService).count(request))).points);
  };
  expect(await points()).toBe(64);
  // News of a batch gives all its time anew, so it has to be heard before.
  await eventually('the batch is noted', async () => {
    const noted = `SELECT FROM saga WHERE id = $1 AND data -> 'indexed' @> '[0]'`;
    return (await mesh.database('document').query(noted, [`${tenant}/${id}@1`])).rowCount > 0;
  });

  await mesh.halt('document');
  await age(id, -1);
  await runDocuments();
  const get = () => mesh.as(tenant, () => mesh.client(documentV1.DocumentService).getDocument({ id }));
  // Where the start took more than ten seconds, another minute is given.
  const failed = await eventually(
    'it has failed',
    async () => ((await get()).status === 'failed' ? get() : undefined),
    90_000,
  );
  expect(failed.error).toMatchObject({ code: 'DOCUMENT.DEADLINE_EXCEEDED', retryable: true });
  await eventually('no point is left', async () => (await points()) === 0);
});
