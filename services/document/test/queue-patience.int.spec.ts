import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { eventually, hastenTimers } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { PATIENCE_EVERY_MS } from '../src/sagas/queue-patience.js';
import { uploadMessages } from './upload-messages.js';

const tenant = 'acme';
const BATCHES = 3;

let mesh: ServiceMesh;
let folder: string;

async function upload(id: string, text: string): Promise<void> {
  await mesh.as(tenant, () => mesh.client(documentV1.DocumentService).upload(uploadMessages({ id }, text)));
}

/** Seconds until a document that waits for the index is given up. */
async function secondsLeft(id: string): Promise<number | undefined> {
  const sql = `SELECT extract(epoch FROM deadline - now())::float8 AS left FROM saga WHERE id = $1 AND step = 'index'`;
  const { rows } = await mesh.database('document').query<{ left: number }>(sql, [`${tenant}/${id}@1`]);
  return rows[0]?.left;
}

/** As if it had waited for all its time but a minute. */
const age = (id: string) =>
  mesh
    .database('document')
    .query(`UPDATE saga SET deadline = now() + interval '60 seconds' WHERE id = $1`, [`${tenant}/${id}@1`]);

beforeAll(async () => {
  hastenTimers(PATIENCE_EVERY_MS);
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-queue-patience-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a document that waits behind others for the index is given up only when nothing gets there any more', async () => {
  for (const id of ['large', 'small']) await upload(id, `What is in ${id}.`);
  for (const id of ['large', 'small']) await eventually(`${id} waits for the index`, () => secondsLeft(id));
  await age('small');
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_EVERY_MS));
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_EVERY_MS));
  expect(await secondsLeft('small')).toBeLessThan(61);

  const batch = { documentId: 'large', version: 1n, collection: 'default', batch: 0, batches: BATCHES, points: 1 };
  await mesh.send(catalogue.vectorIndexed, batch, { tenant, consumer: 'document' });
  await eventually('the one behind it has more time', async () => ((await secondsLeft('small')) ?? 0) > 800);
});
