import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { documentV1 } from '@ragmesh/contracts';
import { embeddingService } from '@ragmesh/service-embedding';
import { modelService } from '@ragmesh/service-model';
import { vectorService } from '@ragmesh/service-vector';
import { eventually } from '@ragmesh/testing';
import { writeTinyEncoder } from '../../embedding/test/tiny-encoder.js';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';
import { uploadMessages } from './upload-messages.js';

const collection = 'wild';
let mesh: ServiceMesh;
let folder: string;

const ask = <T>(call: (client: ReturnType<typeof mesh.client<typeof documentV1.DocumentService>>) => T): T =>
  mesh.as('acme', () => call(mesh.client(documentV1.DocumentService)));

async function upload(id: string, text: string): Promise<void> {
  await ask((client) => client.upload(uploadMessages({ id, collection }, text)));
}

const ended = (id: string) =>
  eventually('the operation is done', async () => {
    const operation = await ask((client) => client.getOperation({ id }));
    return operation.done ? operation : undefined;
  });
const statusOf = async (id: string) => (await ask((client) => client.getDocument({ id }))).status;
const isReady = (id: string) => eventually(`${id} is ready`, async () => (await statusOf(id)) === 'ready');
const generations = async () => (await ask((client) => client.listGenerations({ collection }))).generations;
const runModels = async (): Promise<void> => {
  const models = join(folder, 'models');
  await mesh.run(modelService, { RAGMESH_MODELS_DIR: models, MODEL_CACHE_DIR: join(folder, 'hub') });
  await mesh.run(embeddingService, { EMBEDDING_WORKERS: '1' });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-unseen-'));
  await writeTinyEncoder(join(folder, 'models/tiny-words'), 'tiny-words', 24);
  mesh = await ServiceMesh.start();
  await runModels();
  await mesh.run(vectorService);
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder, REINDEX_QUESTIONS: '0' });
  await upload('otters', 'Otters hold hands while they sleep on the river.');
  await isReady('otters');
  const { id: built } = await ask((client) => client.startReindex({ collection, model: 'tiny-words' }));
  expect(await ended(built)).toMatchObject({ status: 'ready' });
  const { id: back } = await ask((client) => client.rollbackGeneration({ collection, generation: 0 }));
  expect(await ended(back)).toMatchObject({ status: 'ready' });
});
afterAll(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

it('a generation that lost its model fails no upload, stays incomplete, and says why it is not shown again', async () => {
  await mesh.halt('embedding');
  await mesh.halt('model');
  await rm(join(folder, 'models/tiny-words'), { recursive: true });
  await runModels();
  await mesh.halt('vector'); // so that the failure is told of before the document is ready
  await upload('bees', 'Honey bees dance to tell each other where flowers are.');
  await eventually('the document service was told', async () => {
    const told = `SELECT FROM inbox WHERE handler_id = 'document.fail-ingestion' AND finished_at IS NOT NULL`;
    return (await mesh.database('document').query(told)).rowCount > 0;
  });
  await mesh.run(vectorService);
  await isReady('bees');

  const letters = await mesh.database('embedding').query<{ code: string }>('SELECT code FROM dead_letter');
  expect(letters.rows.map(({ code }) => code)).toEqual(['MODEL.NOT_FOUND']);
  expect((await generations()).map(({ generation, state, documents }) => [generation, state, documents])).toEqual([
    [1, 'previous', 1n],
    [0, 'live', 2n],
  ]);

  const { id } = await ask((client) => client.rollbackGeneration({ collection, generation: 1 }));
  expect(await ended(id)).toMatchObject({ status: 'failed', error: { code: 'MODEL.NOT_FOUND' } });
  expect((await generations()).map(({ generation, state }) => [generation, state])).toEqual([
    [1, 'previous'],
    [0, 'live'],
  ]);
});
