import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { eventually } from '@ragmesh/testing';
import { ApiClient } from '../../standalone/test/api-client.js';
import { BareMesh } from './bare-mesh.js';
import { newDataDir, removeDataDir } from './data-dir.js';
import { ownPackages } from './image-packages.js';
import { ServiceCopy } from './service-copy.js';

const PDF = '../shared/documents/habibi.pdf';
const HERE = `${process.platform}-${process.arch}`;

let folder: string;
let mesh: BareMesh;
const trees = new Map<ServiceName, string>();
const copies: ServiceCopy[] = [];
beforeAll(async () => {
  folder = await newDataDir();
  for (const service of serviceNames) trees.set(service, buildTree(service));
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
function buildTree(service: ServiceName, platform = HERE): string {
  const out = join(folder, `${service}-${platform}`);
  const built = spawnSync(process.execPath, ['tools/service-image.mjs', service, '--out', out, '--platform', platform]);
  if (built.status !== 0) throw new Error(String(built.stderr));
  return out;
}

const filesOf = async (tree: string): Promise<string[]> => (await readdir(tree, { recursive: true })).toSorted();

/** Names of packages that were installed, and folders of our own, which links lead to. */
const packagesOf = async (tree: string): Promise<string[]> => {
  const manifest =
    /(?:^|\/)node_modules\/(?!@ragmesh\/)((?:@[^/]+\/)?[^/]+)\/package\.json$|^((?:libs|services)\/[^/]+)\/package\.json$/;
  const names = (await filesOf(tree))
    .map((file) => manifest.exec(file))
    .flatMap((found) => found?.[1] ?? found?.[2] ?? []);
  return [...new Set(names)].toSorted();
};

/** Native code of any platform. */
const nativeIn = async (tree: string): Promise<string[]> =>
  (await filesOf(tree)).filter((file) => /\.(node|so[.\d]*|dll|dylib)$/.test(file));

describe('the file trees of the service images', () => {
  it('are all that the services need to be ready, read a PDF, embed it, find it and end, and stay as they were', async () => {
    const before = await Promise.all([...trees.values()].map(filesOf));
    for (const [service, tree] of trees)
      copies.push(await ServiceCopy.start(service, await mesh.environment(service), join(tree, 'main.js')));
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
    expect(await Promise.all([...trees.values()].map(filesOf))).toEqual(before);
  });

  it.each(['embedding', 'vector'] as const)('hold native code of one platform only: %s', async (service) => {
    for (const platform of [HERE, HERE === 'linux-arm64' ? 'linux-x64' : 'linux-arm64']) {
      const native = await nativeIn(platform === HERE ? trees.get(service)! : buildTree(service, platform));
      const [system, processor] = platform.split('-');
      expect(native).not.toEqual([]);
      expect(native.filter((file) => !new RegExp(`/${system}[-/]${processor}/`).test(file))).toEqual([]);
    }
  });

  it('hold the packages that their service needs, and none that only another one or development does', async () => {
    const lists = await Promise.all([...trees.values()].map(packagesOf));
    const common = lists[0]!.filter((name) => lists.every((list) => list.includes(name)));
    const own = lists.map((list) => list.filter((name) => !common.includes(name)));
    for (const [index, service] of serviceNames.entries())
      expect({ service, packages: own[index] }).toEqual({ service, packages: ownPackages[service].toSorted() });
    const { devDependencies } = JSON.parse(await readFile('package.json', 'utf8')) as { devDependencies: object };
    const tools = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/')); // these, others depend on
    expect(tools.filter((name) => lists.some((list) => list.includes(name)))).toEqual([]);
  });
});
