import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { documentService } from '@ragmesh/service-document';
import { embeddingService } from '@ragmesh/service-embedding';
import { knowledgeService } from '@ragmesh/service-knowledge';
import { modelService } from '@ragmesh/service-model';
import { retrievalService } from '@ragmesh/service-retrieval';
import { vectorService } from '@ragmesh/service-vector';
import { eventually } from '@ragmesh/testing';
import { writeTinyCrossEncoder } from '../../embedding/test/tiny-cross-encoder.js';
import { writeTinyEncoder } from '../../embedding/test/tiny-encoder.js';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { gatewayService } from '../src/gateway.service.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read as their shapes are asserted
type Body = Record<string, any>;

const BUNDLED = 384;
const DIMENSION = 24;
const texts: Readonly<Record<string, string>> = {
  otters: 'Otters hold hands while they sleep on the river.',
  herons: 'Herons stand still for hours and wait for fish.',
  foxes: 'The fox digs a den below the roots of an oak.',
  bees: 'Honey bees dance to tell each other where flowers are.',
};
let mesh: ServiceMesh;
let folder: string;
let url: string;

async function call(method: string, path: string, body?: object): Promise<{ status: number; body: Body }> {
  const init = body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${url}${path}`, { method, ...init });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

async function upload(id: string, text: string): Promise<void> {
  await call('POST', '/v1/documents', { id, collection: 'wild', text });
  expect((await call('GET', `/v1/documents/${id}?wait=60`)).body).toMatchObject({ status: 'ready' });
}

const dense = async (query: string): Promise<Body> => {
  const answer = await call('POST', '/v1/search', { query, collection: 'wild', mode: 'dense' });
  expect(answer).toMatchObject({ status: 200, body: { degraded: [] } });
  return answer.body;
};
const bestOf = async (query: string): Promise<string> => (await dense(query))['results'][0].document_id;

/** Lengths of the vectors there are, by generation. */
const dimensions = async (): Promise<Record<string, number>> => {
  const { rows } = await mesh
    .database('vector')
    .query<{ generation: number; dimension: number }>(
      "SELECT DISTINCT generation, length(vector) / 4 AS dimension FROM point WHERE collection = 'wild'",
    );
  return Object.fromEntries(rows.map(({ generation, dimension }) => [generation, Number(dimension)]));
};

const reindex = (body: object) => call('POST', '/v1/collections/wild/reindex', body);
const generations = async (): Promise<Body[]> => (await call('GET', '/v1/collections/wild/generations')).body['data'];

async function done(accepted: { status: number; body: Body }): Promise<Body> {
  expect(accepted.status).toBe(202);
  return eventually('the operation is done', async () => {
    const { body } = await call('GET', accepted.body['operation'].href);
    return body['done'] ? body : undefined;
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-reindex-models-'));
  await writeTinyEncoder(join(folder, 'models/tiny-words'), 'tiny-words', DIMENSION);
  await writeTinyCrossEncoder(join(folder, 'models/tiny-judge'), { otters: 1 });
  mesh = await ServiceMesh.start();
  const environment = { RAGMESH_DATA_DIR: folder, RAGMESH_MODELS_DIR: join(folder, 'models') };
  await mesh.run(modelService, environment);
  await mesh.run(knowledgeService);
  await mesh.run(embeddingService, { EMBEDDING_WORKERS: '1' });
  await mesh.run(vectorService);
  await mesh.run(retrievalService);
  await mesh.run(documentService, { ...environment, REINDEX_MIN_OVERLAP: '0', REINDEX_MIN_SELF_RETRIEVAL: '0.5' });
  url = (await mesh.run(gatewayService, { SERVER_PORT: '0', RAGMESH_DATA_DIR: folder })).url!;
  await call('POST', '/v1/collections', { id: 'wild' });
  for (const [id, text] of Object.entries(texts)) await upload(id, text);
  await eventually('a first search found all it asks', async () => {
    const { body } = await call('POST', '/v1/search', {
      query: 'is anybody there?',
      collection: 'wild',
      mode: 'dense',
    });
    return body['degraded']?.length === 0;
  });
});
afterAll(async () => {
  await mesh?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('reindex with another embedding model', () => {
  it('refuses one that is not here or makes no vectors, and leaves everything as it is', async () => {
    expect(await reindex({ model: 'no-such-model' })).toMatchObject({ status: 404, body: { code: 'MODEL.NOT_FOUND' } });
    expect(await reindex({ model: 'tiny-words@r9' })).toMatchObject({ status: 404, body: { code: 'MODEL.NOT_FOUND' } });
    expect(await reindex({ model: 'tiny-judge' })).toMatchObject({ status: 422, body: { code: 'REQUEST.INVALID' } });
    expect(await reindex({ model: '' })).toMatchObject({ status: 422 });
    expect((await generations()).map(({ id, model }) => [id, model])).toEqual([[0, null]]);
  });

  it('has no generations to show of a collection that is not there', async () => {
    const missing = await call('GET', '/v1/collections/nope/generations');
    expect(missing).toMatchObject({ status: 404, body: { code: 'COLLECTION.NOT_FOUND' } });
    const usual = await call('GET', '/v1/collections/default/generations');
    expect(usual).toMatchObject({ status: 200, body: { data: [{ id: 0, state: 'live' }] } });
  });

  it('embeds documents and questions by it, new ones for both, and goes back to the model before', async () => {
    expect(await bestOf('which animal naps in the water?')).toBe('otters');
    let isOn = true;
    const answers: Body[] = [];
    const reader = (async () => {
      for (let n = 0; isOn; n += 1) answers.push(await dense(`${texts['otters']} ${n}`));
    })();
    reader.catch(() => undefined); // a failure is told where it is awaited, and is no unhandled rejection until then
    const ended = await done(await reindex({ model: 'tiny-words' }));
    expect(ended).toMatchObject({ status: 'ready', error: null });
    expect(ended['receipt'].quality).toMatchObject({ questions: 4, self_retrieval: 1 });
    isOn = false;
    await reader;
    for (const { results } of answers) expect(results[0].document_id).toBe('otters');
    expect(await dimensions()).toEqual({ 0: BUNDLED, 1: DIMENSION });
    expect((await generations()).map(({ id, state, model }) => [id, state, model])).toEqual([
      [1, 'live', 'tiny-words@r1'],
      [0, 'previous', null],
    ]);
    await upload('owls', 'The owl sits in the oak and hoots at night.');
    expect(await bestOf('owl hoots')).toBe('owls');
    // A document is ready once the live generation has it; the other follows.
    const counts = async () => (await generations()).map(({ documents }) => documents);
    await eventually('both generations have five documents', async () => (await counts()).join() === '5,5');

    expect(await done(await call('POST', '/v1/collections/wild/generations/0/rollback'))).toMatchObject({
      status: 'ready',
    });
    expect(await bestOf('which animal naps in the water?')).toBe('otters');
    expect(await bestOf('bird that calls after dark')).toBe('owls');
  });

  it('keeps the model of the live generation when none is named', async () => {
    expect(await done(await reindex({ model: 'tiny-words@r1' }))).toMatchObject({ status: 'ready' });
    expect(await done(await reindex({ chunk_size: 64 }))).toMatchObject({ status: 'ready' });
    expect((await generations())[0]).toMatchObject({ id: 3, state: 'live', model: 'tiny-words@r1' });
    expect(await bestOf('owl hoots')).toBe('owls');
  });
});

describe('reindex of a file', () => {
  it('cuts the text it was read as, and needs its original no more', async () => {
    const animals = ['marten', 'badger', 'stoat', 'weasel', 'polecat', 'lynx', 'hare', 'vole'];
    const paragraphs = animals.map(
      (name, at) => `<p>The ${name} &amp; its <b>young</b> were seen ${at} times by the brook.</p>`,
    );
    const page = `<html><head><style>p{color:red}</style></head><body><h1>Mammals</h1>${paragraphs.join('\n')}</body></html>`;
    const form = new FormData();
    for (const [name, value] of [
      ['id', 'page'],
      ['collection', 'files'],
    ] as const)
      form.append(name, value);
    form.append('file', new Blob([page], { type: 'text/html' }), 'page.html');
    await fetch(`${url}/v1/documents`, { method: 'POST', body: form });
    expect((await call('GET', '/v1/documents/page?wait=60')).body).toMatchObject({ status: 'ready' });
    const text = await (await fetch(`${url}/v1/documents/page/content?as=text`)).text();
    const chunks = async (): Promise<Body[]> => (await call('GET', '/v1/documents/page/chunks?limit=200')).body['data'];
    const before = await chunks();
    const original = createHash('sha256').update(page).digest('hex');
    const blobs = (await readdir(folder, { recursive: true })).filter((path) => path.endsWith(original));
    expect(blobs).toHaveLength(1);
    await rm(join(folder, blobs[0]!));

    const ended = await done(await call('POST', '/v1/collections/files/reindex', { chunk_size: 32 }));
    expect(ended).toMatchObject({ status: 'ready', error: null });
    const after = await chunks();
    expect(after.length).toBeGreaterThan(before.length);
    for (const chunk of after) expect(chunk['text']).toBe(text.slice(chunk['start'], chunk['end']));
    expect(after.at(-1)!['text']).toContain('The vole & its young were seen 7 times by the brook.');
    const { body } = await call('POST', '/v1/search', { query: 'badger', collection: 'files', mode: 'lexical' });
    expect(body['results'][0].text).toContain('The badger & its young');
  });
});
