import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, modelV1 } from '@ragmesh/contracts';
import { ServiceMesh, eventually } from '../../knowledge/test/service-mesh.js';
import { modelService } from '../src/model.service.js';

let mesh: ServiceMesh;
let own: string;

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
  mesh = await ServiceMesh.start(catalogue.modelLoaded.topic);
  await mesh.run(modelService, { RAGMESH_MODELS_DIR: own });
});
afterAll(async () => {
  await mesh.stop();
  await rm(own, { recursive: true });
});

describe('the model service', () => {
  it('gives the bundled model without any configuration, and says once that it can be used', async () => {
    const [model] = await Promise.all([resolve('all-MiniLM-L6-v2'), resolve('all-MiniLM-L6-v2')]);
    expect(model).toMatchObject({ name: 'all-MiniLM-L6-v2', dimension: 384, maxTokens: 256, dtype: 'q8' });
    expect((await stat(join(model.folder, 'onnx/model_quantized.onnx'))).size).toBeLessThan(Number(model.bytes));
    expect(await resolve('')).toEqual(model);
    const reference = `${model.name}@${model.revision}`;
    expect(await resolve(reference)).toEqual(model);
    const loaded = () => mesh.eventsOf(catalogue.modelLoaded).filter(({ payload }) => payload.model === reference);
    await eventually('the event', () => loaded().length > 0);
    await mesh.halt('model');
    await mesh.run(modelService, { RAGMESH_MODELS_DIR: own });
    await resolve(reference);
    expect(loaded()).toMatchObject([{ tenant: 'default', payload: { dimension: 384, bytes: model.bytes } }]);
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
});
