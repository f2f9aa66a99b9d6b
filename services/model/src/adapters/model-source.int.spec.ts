import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bundledSource, FolderSource, ModelResolver } from './model-source.js';

let root: string;
let resolver: ModelResolver;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ragmesh-models-'));
  resolver = new ModelResolver([new FolderSource(root), bundledSource()]);
});

afterEach(() => rm(root, { recursive: true }));

async function addModel(folder: string, name: string, revision: string): Promise<string> {
  const content = `weights of ${revision}`;
  const sha256 = createHash('sha256').update(content).digest('hex');
  const files = [{ path: 'onnx/model.onnx', bytes: content.length, sha256 }];
  await mkdir(join(root, folder, 'onnx'), { recursive: true });
  await writeFile(join(root, folder, 'onnx/model.onnx'), content);
  const manifest = { name, revision, dimension: 8, maxTokens: 16, dtype: 'fp32', files };
  await writeFile(join(root, folder, 'manifest.json'), JSON.stringify(manifest));
  return join(root, folder);
}

describe('resolving a model', () => {
  it('finds the bundled model and vouches for its files', async () => {
    const model = await resolver.resolve('all-MiniLM-L6-v2');
    expect(model).toMatchObject({ name: 'all-MiniLM-L6-v2', dimension: 384, maxTokens: 256, dtype: 'q8' });
    expect(await resolver.resolve(`${model.name}@${model.revision}`)).toEqual(model);
  });

  it('prefers the local folder over the bundled model', async () => {
    const folder = await addModel('mine', 'all-MiniLM-L6-v2', 'mine');
    expect(await resolver.resolve('all-MiniLM-L6-v2')).toMatchObject({ revision: 'mine', folder });
    expect((await resolver.list())[0]).toMatchObject({ name: 'all-MiniLM-L6-v2', revision: 'mine' });
  });

  it('takes the revision asked for', async () => {
    await addModel('a', 'tiny', 'r1');
    const folder = await addModel('b', 'tiny', 'r2');
    expect(await resolver.resolve('tiny@r2')).toMatchObject({ revision: 'r2', folder });
  });

  it('says so when no source has the model or the revision', async () => {
    await addModel('a', 'tiny', 'r1');
    await expect(resolver.resolve('unheard-of')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    await expect(resolver.resolve('tiny@r9')).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
  });

  it('names the file that is missing, cut or altered, and recovers once it is repaired', async () => {
    const weights = join(await addModel('a', 'tiny', 'r1'), 'onnx/model.onnx');
    const corrupt = { code: 'MODEL.CORRUPT', details: { model: 'tiny@r1', file: 'onnx/model.onnx' } };
    await writeFile(weights, 'WEIGHTS of r1');
    await expect(resolver.resolve('tiny')).rejects.toMatchObject(corrupt);
    await writeFile(weights, 'weights');
    await expect(resolver.resolve('tiny')).rejects.toMatchObject(corrupt);
    await rm(weights);
    await expect(resolver.resolve('tiny')).rejects.toMatchObject(corrupt);
    await writeFile(weights, 'weights of r1');
    expect(await resolver.resolve('tiny')).toMatchObject({ revision: 'r1' });
  });

  it('reports a damaged manifest for its own model only', async () => {
    await mkdir(join(root, 'broken'));
    await writeFile(join(root, 'broken/manifest.json'), '{');
    await expect(resolver.resolve('broken')).rejects.toMatchObject({ code: 'MODEL.CORRUPT' });
    expect(await resolver.resolve('all-MiniLM-L6-v2')).toMatchObject({ dimension: 384 });
  });

  it('passes over a folder that it may not read, such as the lost+found of a disk', async () => {
    // A manifest that is a folder cannot be read even by root, under whom permissions prove nothing.
    await mkdir(join(root, 'lost+found/manifest.json'), { recursive: true });
    expect(await resolver.resolve('all-MiniLM-L6-v2')).toMatchObject({ dimension: 384 });
    expect(await resolver.list()).toHaveLength(1);
  });

  it('works without a local folder', async () => {
    const withoutFolder = new ModelResolver([new FolderSource(join(root, 'absent')), bundledSource()]);
    expect(await withoutFolder.resolve('all-MiniLM-L6-v2')).toMatchObject({ dimension: 384 });
  });
});
