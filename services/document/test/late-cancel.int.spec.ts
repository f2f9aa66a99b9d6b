import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { uploadMessages } from './upload-messages.js';

const collection = 'default';
const tenant = 'acme';

let mesh: ServiceMesh;
let folder: string;

const ask = <T>(call: (client: ReturnType<typeof mesh.client<typeof documentV1.DocumentService>>) => T): T =>
  mesh.as(tenant, () => call(mesh.client(documentV1.DocumentService)));

async function upload(id: string, text: string): Promise<void> {
  await ask((client) => client.upload(uploadMessages({ id, collection, replace: true }, text)));
}

/** What the saga of a version says of itself. */
async function sagaOf(id: string, version: number): Promise<{ status: string; step: string } | undefined> {
  const sql = `SELECT status, step FROM saga WHERE name = 'document-ingestion' AND id = $1`;
  const { rows } = await mesh
    .database('document')
    .query<{ status: string; step: string }>(sql, [`${tenant}/${id}@${version}`]);
  return rows[0];
}
const reaches = (id: string, version: number, wanted: { status: string; step?: string }) =>
  eventually(`version ${version} of ${id} is ${wanted.step ?? wanted.status}`, async () => {
    const saga = await sagaOf(id, version);
    return saga?.status === wanted.status && (wanted.step ?? saga.step) === saga.step;
  });

const told = { tenant, consumer: 'document' };
/** The index has all chunks of a version and is asked to show it. */
async function toBeShown(id: string, version: number): Promise<void> {
  await reaches(id, version, { status: 'running', step: 'index' });
  const batch = { documentId: id, version: BigInt(version), collection, batch: 0, batches: 1, points: 1 };
  await mesh.send(catalogue.vectorIndexed, batch, told);
  await reaches(id, version, { status: 'running', step: 'show' });
}
const shown = (id: string, version: number) =>
  mesh.send(catalogue.vectorUpdated, { documentId: id, version: BigInt(version), collection }, told);
const removals = () =>
  mesh.eventsOf(catalogue.removeVersion).map(({ payload }) => `${payload.documentId}@${payload.version}`);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-late-cancel-'));
  mesh = await ServiceMesh.start(catalogue.removeVersion.topic, catalogue.documentFailed.topic);
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder });
});
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a version that is being shown is not called off: what readers saw before is removed by it', async () => {
  await upload('report', 'First.');
  await toBeShown('report', 1);
  await shown('report', 1);
  await upload('report', 'Second.');
  await toBeShown('report', 2);

  await expect(ask((client) => client.cancelDocument({ id: 'report' }))).rejects.toMatchObject({
    code: 'DOCUMENT.NOT_CANCELLABLE',
    message: expect.stringMatching(/too late/) as unknown,
  });
  await upload('report', 'Third.');
  await reaches('report', 3, { status: 'running', step: 'index' });
  expect(await sagaOf('report', 2)).toEqual({ status: 'running', step: 'show' });

  await shown('report', 2);
  await reaches('report', 2, { status: 'completed' });
  expect(await ask((client) => client.getDocument({ id: 'report' }))).toMatchObject({ status: 'processing' });
  for (let time = 0; time < 2; time += 1) await ask((client) => client.cancelDocument({ id: 'report' }));
  await eventually('the third version is undone', () => removals().includes('report@3'));
  expect(removals()).toEqual(['report@3']);
});

it('a version that readers passed over ends, and takes nothing back', async () => {
  await upload('notes', 'First.');
  await toBeShown('notes', 1);
  await upload('notes', 'Second.');
  await toBeShown('notes', 2);
  await shown('notes', 2);
  await reaches('notes', 2, { status: 'completed' });
  const { updatedAt } = await ask((client) => client.getDocument({ id: 'notes' }));
  await shown('notes', 1);
  await reaches('notes', 1, { status: 'completed' });
  expect(await ask((client) => client.getDocument({ id: 'notes' }))).toMatchObject({ status: 'ready', updatedAt });
});

/** The document service is told that the index, or it itself, gave an event about a version up. */
async function givenUp(documentId: string, version: number, topic: string): Promise<void> {
  const failure = {
    code: 'EVENT.CRASHED_PROCESS',
    message: 'Handling was begun 3 times and never ended.',
    attempts: 1,
  };
  const event = { service: 'vector', handler: 'h', topic, subject: documentId, version: BigInt(version), ...failure };
  await mesh.send(catalogue.errorOccurred, { ...event, documentId }, told);
}

it('a version that readers see becomes ready, though word of it was given up', async () => {
  await upload('seen', 'First.');
  await toBeShown('seen', 1);
  await givenUp('seen', 1, catalogue.vectorUpdated.topic);
  expect(await sagaOf('seen', 1)).toEqual({ status: 'running', step: 'show' });
  await givenUp('seen', 1, catalogue.showVersion.topic);
  await reaches('seen', 1, { status: 'compensating' });
  await shown('seen', 1); // by another copy of the command, so the index does not remove it
  await reaches('seen', 1, { status: 'completed' });
  expect(await ask((client) => client.getDocument({ id: 'seen' }))).toMatchObject({ status: 'ready' });
});

it('a version that turns out to be shown does not become ready in a document that is being deleted', async () => {
  await upload('doomed', 'First.');
  await toBeShown('doomed', 1);
  await givenUp('doomed', 1, catalogue.showVersion.topic);
  await reaches('doomed', 1, { status: 'compensating' });
  await ask((client) => client.deleteDocument({ id: 'doomed' }));
  await shown('doomed', 1);
  await reaches('doomed', 1, { status: 'completed' });
  const { rows } = await mesh.database('document').query(`SELECT live_version FROM document WHERE id = 'doomed'`);
  expect(rows).toEqual([{ live_version: null }]);
});

it('a version whose points are gone before it was shown fails instead of waiting for ever', async () => {
  await upload('gone', 'First.');
  await toBeShown('gone', 1);
  const removed = { documentId: 'gone', version: 1n, collection, pointsRemoved: 0n, remaining: 0n };
  await mesh.send(catalogue.vectorDeleted, removed, told);
  await reaches('gone', 1, { status: 'compensating' });
  await mesh.send(catalogue.vectorDeleted, removed, told);
  await reaches('gone', 1, { status: 'failed' });
  expect(await ask((client) => client.getDocument({ id: 'gone' }))).toMatchObject({ status: 'failed' });
});

it('the deletion of a document ends also a version that is being shown', async () => {
  await upload('old', 'First.');
  await toBeShown('old', 1);
  await ask((client) => client.deleteDocument({ id: 'old' }));
  await reaches('old', 1, { status: 'compensating' });
});

it('what is told of a version is its own, not that of a later one', async () => {
  const operation = (version: number) => ask((client) => client.getOperation({ id: `ingestion-${version}-own` }));
  await upload('own', 'First.');
  await toBeShown('own', 1);
  await shown('own', 1);
  await reaches('own', 1, { status: 'completed' });
  await upload('own', 'Second.');
  await reaches('own', 2, { status: 'running', step: 'index' });
  expect(await operation(1)).toMatchObject({ status: 'ready', done: true, stage: '' });
  expect(await operation(2)).toMatchObject({ status: 'processing', stage: 'embed' });

  await ask((client) => client.cancelDocument({ id: 'own' }));
  const removed = { documentId: 'own', version: 2n, collection, pointsRemoved: 0n, remaining: 0n };
  await mesh.send(catalogue.vectorDeleted, removed, told);
  await reaches('own', 2, { status: 'aborted' });
  const { progress } = await ask((client) => client.getDocument({ id: 'own' }));
  expect(progress).toBeLessThan(1);
  const cancelled = { status: 'failed', stage: 'embed', progress, done: true, error: { code: 'DOCUMENT.CANCELLED' } };
  expect(await operation(2)).toMatchObject(cancelled);
  const failures = () => mesh.eventsOf(catalogue.documentFailed).filter(({ payload }) => payload.documentId === 'own');
  await eventually('its failure is told', () => failures().length > 0);
  expect(failures()).toMatchObject([{ payload: { version: 2n, stage: 'embed', code: 'DOCUMENT.CANCELLED' } }]);
  expect((await operation(1)).error).toBeUndefined();

  await ask((client) => client.retryDocument({ id: 'own' }));
  const { steps } = await ask((client) => client.getTimeline({ id: 'own' }));
  const attempts = steps.map(({ version, attempt }) => `version ${version}: ${attempt}`);
  expect([...new Set(attempts)]).toEqual(['version 1: 0', 'version 2: 1', 'version 3: 2']);
});
