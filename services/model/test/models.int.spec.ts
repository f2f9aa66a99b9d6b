import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { create } from '@bufbuild/protobuf';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, modelV1 } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { modelService } from '../src/model.service.js';
import { HubServer } from './hub-server.js';

let mesh: ServiceMesh;
let own: string;
let hub: HubServer;

const start = () =>
  mesh.run(modelService, {
    ...{ RAGMESH_MODELS_DIR: own, MODEL_CACHE_DIR: join(own, '.hub') },
    ...{ HF_ENDPOINT: hub.url, HUB_ALLOWED_HOSTS: hub.cdnHost },
  });
const models = () => mesh.client(modelV1.ModelService);
const listed = async (name: string) =>
  (await mesh.as('acme', () => models().listModels({}))).models.filter((model) => model.name === name);

/** What a process that runs models reports. */
const report = (residents: Partial<Resident>[], wanted?: Partial<Resident>, holder = 'p1') => {
  const whole = ({ model = '', bytes = 10n, residentMs = 1000n, idleMs = 500n }: Partial<Resident>) =>
    create(modelV1.ResidentSchema, { model, bytes, residentMs, idleMs });
  const request = { holder, budgetBytes: 100n, residents: residents.map(whole) };
  return mesh.as('acme', () => models().syncResidents({ ...request, ...(wanted ? { wanted: whole(wanted) } : {}) }));
};

type Resident = modelV1.Resident;
const resolve = (name: string) => mesh.as('acme', () => mesh.client(modelV1.ModelService).resolveModel({ name }));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A model of the installation's own, with one file. */
async function putModel(name: string, weights: string): Promise<string> {
  const folder = join(own, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'weights'), weights);
  const files = [{ path: 'weights', bytes: weights.length, sha256: sha256(weights) }];
  const manifest = { name, revision: 'r1', dimension: 8, maxTokens: 16, dtype: 'fp32', files };
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return folder;
}

beforeAll(async () => {
  own = await mkdtemp(join(tmpdir(), 'ragmesh-models-'));
  hub = await HubServer.start('acme/tiny', {
    'config.json': JSON.stringify({ architectures: ['BertModel'], hidden_size: 32 }),
    'tokenizer.json': '{}',
    'onnx/model.onnx': Buffer.alloc(100_000, 7),
  });
  const topics = [catalogue.modelLoaded, catalogue.modelUnloaded, catalogue.modelUpdated].map(({ topic }) => topic);
  mesh = await ServiceMesh.start(...topics);
  await start();
});
afterAll(async () => {
  await mesh.stop();
  await hub.close();
  await rm(own, { recursive: true });
});

describe('the model service', () => {
  it('gives the bundled model without any configuration', async () => {
    const [model] = await Promise.all([resolve('all-MiniLM-L6-v2'), resolve('all-MiniLM-L6-v2')]);
    expect(model).toMatchObject({ name: 'all-MiniLM-L6-v2', dimension: 384, maxTokens: 256, dtype: 'q8' });
    expect((await stat(join(model.folder, 'onnx/model_quantized.onnx'))).size).toBeLessThan(Number(model.bytes));
    expect(await resolve('')).toEqual(model);
    expect(await resolve(`${model.name}@${model.revision}`)).toEqual(model);
  });

  it('finds a model of the installation beside the bundled one, added while it runs', async () => {
    const folder = await putModel('own-model', 'some weights');
    expect(await resolve('own-model')).toMatchObject({ revision: 'r1', folder, bytes: 12n });
    const { models } = await mesh.as('acme', () => mesh.client(modelV1.ModelService).listModels({}));
    expect(models.map(({ name }) => name)).toEqual(['own-model', 'all-MiniLM-L6-v2']);
  });

  it('refuses a model whose bytes differ from its manifest, and takes it once it is repaired', async () => {
    const folder = await putModel('damaged', 'right bytes');
    await writeFile(join(folder, 'weights'), 'wrong bytes');
    await expect(resolve('damaged')).rejects.toMatchObject({ code: 'MODEL.CORRUPT', details: { file: 'weights' } });
    await writeFile(join(folder, 'weights'), 'right bytes');
    expect(await resolve('damaged')).toMatchObject({ name: 'damaged' });
  });

  it('names a model it does not have', async () => {
    await expect(resolve('nobody-has-this')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    await expect(resolve('all-MiniLM-L6-v2@other')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    await expect(resolve('../../etc')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
  });

  it('refuses files that were exchanged under the same revision, together with their checksums', async () => {
    await putModel('swapped', 'what it was');
    await resolve('swapped');
    await mesh.halt('model');
    await start();
    await eventually('an answer', () => listed('swapped').catch(() => null));
    await putModel('swapped', 'what it is');
    await expect(resolve('swapped')).rejects.toMatchObject({ code: 'MODEL.CORRUPT' });
  });

  it('sees at the next call that a file was altered after it had been checked', async () => {
    const folder = await putModel('altered', 'right bytes');
    await resolve('altered');
    await writeFile(join(folder, 'weights'), 'wrong bytes');
    await utimes(join(folder, 'weights'), 1, 1); // within one tick of the clock its times would be those of before
    await expect(resolve('altered')).rejects.toMatchObject({ code: 'MODEL.CORRUPT', details: { file: 'weights' } });
  });

  it('downloads from the hub what no folder has, but not for a name that came from a caller', async () => {
    const local = mesh.as('acme', () => models().resolveModel({ name: 'acme/tiny', localOnly: true }));
    await expect(local).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    expect(hub.requests).toEqual([]);
    const model = await resolve('acme/tiny');
    expect(model).toMatchObject({ name: 'acme/tiny', revision: `${hub.commit}.fp32`, dimension: 32, dtype: 'fp32' });
    expect(await listed('acme/tiny')).toMatchObject([{ state: 'known', progress: 1, holders: 0 }]);
    await expect(resolve('acme/other')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
  });

  it('stays with a commit until told to look again, and then says what changed', async () => {
    const before = await resolve('acme/tiny');
    hub.commit = 'beef'.padEnd(40, '0');
    expect(await resolve('acme/tiny')).toEqual(before);
    const after = await mesh.as('acme', () => models().loadModel({ name: 'acme/tiny' }));
    expect(after.revision).toBe(`${hub.commit}.fp32`);
    const updated = () => mesh.eventsOf(catalogue.modelUpdated).map(({ payload }) => payload);
    await eventually('the event', () => updated().length > 0);
    expect(updated()).toMatchObject([{ previousRevision: before.revision, revision: after.revision }]);
  });
});

describe('the memory of the processes that run models', () => {
  const bundled = async () => {
    const { name, revision } = await resolve('all-MiniLM-L6-v2');
    return `${name}@${revision}`;
  };

  it('is told of when a model enters the first and leaves the last', async () => {
    const model = await bundled();
    const count = (spec: typeof catalogue.modelLoaded | typeof catalogue.modelUnloaded) =>
      mesh
        .eventsOf<typeof spec.schema>(spec as never)
        .filter(({ tenant, payload }) => tenant === 'default' && payload.model === model).length;
    await report([{ model }]);
    await report([{ model }], undefined, 'p2');
    await eventually('it entered', () => count(catalogue.modelLoaded) > 0);
    expect(await listed('all-MiniLM-L6-v2')).toMatchObject([{ state: 'loaded', holders: 2, memoryBytes: 20n }]);
    await report([]);
    await report([], undefined, 'p2');
    await eventually('it left', () => count(catalogue.modelUnloaded) > 0);
    expect(count(catalogue.modelLoaded)).toBe(1);
    expect(await listed('all-MiniLM-L6-v2')).toMatchObject([{ state: 'known', holders: 0 }]);
  });

  it('is kept within its budget, least recently used first, and the pinned model stays', async () => {
    const model = await bundled();
    const others = [
      { model: 'a@1', bytes: 40n, idleMs: 900n },
      { model: 'b@1', bytes: 40n, idleMs: 100n },
    ];
    expect(await report(others, { model: 'c@1', bytes: 30n })).toMatchObject({ unload: ['a@1'], fits: true });
    await mesh.as('acme', () => models().pinModel({ name: model, pinned: true }));
    const full = [{ model, bytes: 60n, idleMs: 9000n }, others[1]!];
    expect(await report(full, { model: 'c@1', bytes: 50n })).toMatchObject({ unload: [], fits: false });
    expect(await report(full, { model: 'c@1', bytes: 30n })).toMatchObject({ unload: ['b@1'], fits: true });
    const unload = () => mesh.as('acme', () => models().unloadModel({ name: model }));
    await expect(unload()).rejects.toMatchObject({ code: 'MODEL.PINNED' });
    expect((await report([])).load).toContain(model);
  });

  it('follows an operator', async () => {
    const model = await bundled();
    await mesh.as('acme', () => models().pinModel({ name: model, pinned: false }));
    expect((await report([])).load).not.toContain(model);
    await mesh.as('acme', () => models().loadModel({ name: model }));
    expect((await report([])).load).toContain(model);
    await mesh.as('acme', () => models().unloadModel({ name: model }));
    expect(await report([{ model, residentMs: 60_000n }])).toMatchObject({
      unload: [model],
      load: expect.not.arrayContaining([model]),
    });
    expect(await report([{ model, residentMs: 0n }])).toMatchObject({ unload: [] });
  });
});
