import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { HubServer } from '../../../test/hub-server.js';
import { AllowedHosts } from '../../domain/allowed-hosts.js';
import { ModelResolver } from '../model-source.js';
import { HubClient } from './hub-client.js';
import { HubSource, type HubSourceOptions } from './hub-source.js';

const weights = 'onnx/model_quantized.onnx';
const name = 'acme/tiny';
const bytes = 2_000_000;
const small = {
  'config.json': JSON.stringify({ architectures: ['BertModel'], hidden_size: 32, max_position_embeddings: 512 }),
  'tokenizer.json': '{}',
  'tokenizer_config.json': JSON.stringify({ model_max_length: 128 }),
  'README.md': 'Not needed to run it.',
};

let folder: string;
let server: HubServer;

interface SourceOptions extends Partial<HubSourceOptions> {
  readonly token?: string;
  readonly hosts?: string[];
  readonly silenceMs?: number;
}

function sourceOf(options: SourceOptions = {}): HubSource {
  const { token, hosts = [server.cdnHost], silenceMs = 20_000, ...rest } = options;
  const allowedHosts = new AllowedHosts(hosts);
  const client = new HubClient({ endpoint: server.url, allowedHosts, silenceMs, ...(token ? { token } : {}) });
  return new HubSource({
    ...{ client, folder, dtype: 'q8', offline: false, logger: createLogger('model', 'silent') },
    ...rest,
  });
}
const resolve = (reference = name, source = sourceOf()) => new ModelResolver([source]).resolve(reference);
const published = () => readdir(folder).then((names) => names.filter((each) => !each.startsWith('.')));
const part = () => join(folder, '.downloads', `acme--tiny@${server.commit}.q8`, `${weights}.part`);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-hub-'));
  server = await HubServer.start(name, { ...small, [weights]: randomBytes(bytes) });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a download from the hub', () => {
  it('brings what is needed to run the model, checked and pinned to the commit, and asks no second time', async () => {
    const model = await resolve();
    const revision = `${server.commit}.q8`;
    expect(model).toMatchObject({ name, revision, dimension: 32, maxTokens: 128, dtype: 'q8', task: 'embedding' });
    // As a whole: to compare two million bytes one by one takes seconds.
    expect((await readFile(join(model.folder, weights))).equals(server.files.get(weights)!)).toBe(true);
    expect(existsSync(join(model.folder, 'README.md'))).toBe(false);
    const asked = server.requests.length;
    expect(await resolve(`${name}@${server.commit}`)).toEqual(model);
    expect(await resolve(`${name}@${revision}`)).toEqual(model);
    expect(server.requests).toHaveLength(asked);
    expect((await sourceOf().list()).map(({ manifest }) => manifest.name)).toEqual([name]);
  });

  it('takes the files of a real model, which then verifies', async () => {
    const real = new URL('../../../../../../shared/models/all-MiniLM-L6-v2/', import.meta.url);
    const paths = [weights, 'config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];
    for (const path of paths) server.files.set(path, readFileSync(new URL(path, real)));
    expect(await resolve()).toMatchObject({ dimension: 384, maxTokens: 512, dtype: 'q8', pooling: 'mean' });
  });

  it('follows a branch that moved on and keeps the old commit', async () => {
    await resolve();
    server.commit = 'beef'.padEnd(40, '0');
    expect(await resolve()).toMatchObject({ revision: `${server.commit}.q8` });
    expect(await published()).toHaveLength(2);
  });

  it('goes on where the connection broke, also in another process and after many breaks', async () => {
    server.faults.cuts = [300_000, 200_000, 100_000, 100_000, 100_000];
    await resolve();
    const ranges = server.requests.filter((request) => request.startsWith(`CDN ${weights}`));
    expect(ranges).toHaveLength(6);
    expect(ranges.slice(1).every((request) => /bytes=[1-9]\d*-$/.test(request))).toBe(true);
  });

  it('goes on with what another run left behind', async () => {
    await mkdir(join(part(), '..'), { recursive: true });
    await writeFile(part(), server.files.get(weights)!.subarray(0, 1_500_000));
    await resolve();
    expect(server.requests.filter((request) => request.startsWith('CDN'))).toEqual([`CDN ${weights} bytes=1500000-`]);
  });

  it('begins anew where the server does not continue', async () => {
    server.faults.cuts = [300_000];
    server.faults.ignoresRange = true;
    expect(await resolve()).toMatchObject({ name });
  });

  it('discards bytes that are not those announced and fetches them again', async () => {
    server.faults.corrupt = 1;
    expect(await resolve()).toMatchObject({ name });
    expect(server.count(`CDN ${weights}`)).toBe(2);
  });

  it.each<[string, Partial<HubServer['faults']>]>([
    ['keep their wrong checksum', { corrupt: 99 }],
    ['are more than announced', { extraBytes: 5 }],
  ])('publishes nothing when the bytes %s', async (_case, faults) => {
    Object.assign(server.faults, faults);
    const fault = { code: 'MODEL.DOWNLOAD_FAILED', details: { file: weights, reason: 'damaged' } };
    await expect(resolve()).rejects.toMatchObject(fault);
    expect(await published()).toEqual([]);
    expect(existsSync(part())).toBe(false);
  });

  it('says so when the server ends early every time, and keeps what came', async () => {
    server.faults.cuts = [100_000, ...Array<number>(5).fill(0)];
    await expect(resolve()).rejects.toMatchObject({ code: 'MODEL.DOWNLOAD_FAILED' });
    expect((await readFile(part())).length).toBe(100_000);
    expect(await resolve()).toMatchObject({ name });
  });

  it('breaks off when the server falls silent', async () => {
    server.faults.silent = true;
    const fault = { code: 'MODEL.DOWNLOAD_FAILED', details: { reason: 'connection' } };
    await expect(resolve(name, sourceOf({ silenceMs: 300 }))).rejects.toMatchObject(fault);
  });

  it('says that the disk is full and leaves nothing on it', async () => {
    await mkdir(join(part(), '..'), { recursive: true });
    await symlink('/dev/full', part());
    await expect(resolve()).rejects.toMatchObject({ code: 'STORAGE.FULL' });
    expect(existsSync(part())).toBe(false);
  });
});

describe('a folder that takes no notes', () => {
  it('gives the model that is in it, and its operators are told', async () => {
    const model = await resolve();
    const notes = join(folder, '.revisions');
    await rm(notes, { recursive: true });
    await writeFile(notes, ''); // a folder without the right to write would stop no test that runs as root
    const told: string[] = [];
    const logger = createLogger('model', 'warn', { write: (line) => void told.push(line) });
    expect(await resolve(name, sourceOf({ logger }))).toEqual(model);
    expect(told.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { model: name, code: 'STORAGE.UNAVAILABLE' },
    ]);
  });
});

describe('the hub refuses', () => {
  it.each([
    ['an unknown repository', 'acme/unknown', 'MODEL.NOT_FOUND'],
    ['an unknown revision', `${name}@v9`, 'MODEL.NOT_FOUND'],
  ])('%s', async (_case, reference, code) => {
    await expect(resolve(reference)).rejects.toMatchObject({ code });
  });

  it.each([
    [401, 'MODEL.ACCESS_DENIED'],
    [403, 'MODEL.ACCESS_DENIED'],
    [404, 'MODEL.NOT_FOUND'],
    [429, 'MODEL.DOWNLOAD_FAILED'],
    [503, 'MODEL.DOWNLOAD_FAILED'],
  ])('with %d, which means %s', async (status, code) => {
    server.faults.statuses = [{ status, headers: { 'retry-after': '7' } }];
    await expect(resolve()).rejects.toMatchObject({ code, details: { status } });
    if (status !== 429) return;
    server.faults.statuses = [{ status, headers: { 'retry-after': '7' } }];
    await expect(resolve()).rejects.toMatchObject({ details: { retryAfter: 7 } });
  });

  it('and a gated model opens with a token, which the network behind the hub never sees', async () => {
    server.token = 'hf_spec';
    await expect(resolve()).rejects.toMatchObject({ code: 'MODEL.ACCESS_DENIED' });
    expect(await resolve(name, sourceOf({ token: 'hf_spec' }))).toMatchObject({ name });
    expect(server.cdnHeaders.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('hosts that are not allowed, and paths that leave the folder', async () => {
    await expect(resolve(name, sourceOf({ hosts: ['cdn.example'] }))).rejects.toMatchObject({
      ...{ code: 'MODEL.HOST_NOT_ALLOWED', details: { host: server.cdnHost } },
    });
    server.faults.redirectTo = 'file:///etc/passwd';
    await expect(resolve()).rejects.toMatchObject({ code: 'MODEL.HOST_NOT_ALLOWED' });
    server.files.set('../../escaped', Buffer.from('x'));
    await expect(resolve()).rejects.toMatchObject({ code: 'MODEL.UNSUPPORTED' });
  });

  it('a repository without weights it could run', async () => {
    server.files.delete(weights);
    await expect(resolve()).rejects.toMatchObject({ code: 'MODEL.UNSUPPORTED' });
  });
});

describe('without the hub', () => {
  it('offline, what was downloaded is used and nothing else is asked for', async () => {
    await expect(resolve(name, sourceOf({ offline: true }))).rejects.toMatchObject({ code: 'MODEL.OFFLINE' });
    expect(server.requests).toEqual([]);
    const model = await resolve();
    const asked = server.requests.length;
    expect(await resolve(name, sourceOf({ offline: true }))).toEqual(model);
    expect(await resolve(`${name}@main`, sourceOf({ offline: true }))).toEqual(model);
    expect(server.requests).toHaveLength(asked);
  });

  it('in trouble, a model is used as it was last downloaded', async () => {
    const model = await resolve();
    server.faults.statuses = [{ status: 503 }];
    expect(await resolve()).toEqual(model);
  });

  it('failing, it is soon asked no more; models are used as they are here, others can be asked for later', async () => {
    const model = await resolve();
    const asked = server.requests.length;
    const source = sourceOf();
    server.faults.statuses = Array.from({ length: 20 }, () => ({ status: 503 }));
    for (let tries = 0; tries < 8; tries += 1) expect(await resolve(name, source)).toEqual(model);
    expect(server.requests.length - asked).toBe(5);
    await expect(resolve('acme/other', source)).rejects.toMatchObject({
      ...{ code: 'MODEL.DOWNLOAD_FAILED', retry: 'transient', details: { reason: 'paused', retryAfter: 5 } },
    });
  });

  it('answering that it has no such model, or asks to slow down, it is asked on', async () => {
    const source = sourceOf();
    for (let tries = 0; tries < 6; tries += 1)
      await expect(resolve(`${name}@v${tries}`, source)).rejects.toMatchObject({ code: 'MODEL.NOT_FOUND' });
    server.faults.statuses = Array.from({ length: 6 }, () => ({ status: 429 }));
    for (let tries = 0; tries < 6; tries += 1)
      await expect(resolve(name, source)).rejects.toMatchObject({ details: { status: 429 } });
    expect(await resolve(name, source)).toMatchObject({ name });
  });
});

describe('several who want the same model', () => {
  it('share one download, with its progress to be seen', async () => {
    const source = sourceOf();
    const seen = new Set<number>();
    const watch = setInterval(() => source.downloads.forEach((view) => seen.add(view.bytes)), 1);
    await Promise.all(Array.from({ length: 20 }, () => resolve(name, source)));
    clearInterval(watch);
    expect(server.count(`CDN ${weights}`)).toBe(1);
    expect(source.downloads).toEqual([]);
    expect([...seen].every((value) => value <= bytes + 1000)).toBe(true);
  });

  it('also as separate processes', async () => {
    const child = fileURLToPath(new URL('../../../test/resolve-from-hub.mjs', import.meta.url));
    const run = (): Promise<unknown> =>
      new Promise((done, failed) => {
        const process = fork(child, [server.url, server.cdnHost, folder, name]);
        process.once('message', done).once('exit', (code) => failed(new Error(`Ended with ${code}.`)));
      });
    const revisions = await Promise.all([run(), run(), run()]);
    expect(new Set(revisions)).toEqual(new Set([`${server.commit}.q8`]));
    expect(server.count(`CDN ${weights}`)).toBe(1);
  });

  it('take over the lock of a process that died, here or on another machine', async () => {
    const lock = join(folder, '.downloads', `acme--tiny@${server.commit}.q8.lock`);
    await mkdir(join(lock, '..'), { recursive: true });
    await writeFile(lock, JSON.stringify({ id: 'dead', pid: 2 ** 22 + 1, host: hostname() }));
    await resolve();
    await rm(join(folder, `acme--tiny@${server.commit}.q8`), { recursive: true });
    await writeFile(lock, JSON.stringify({ id: 'dead', pid: process.pid, host: 'elsewhere' }));
    const silent = new Date(Date.now() - 60_000);
    await utimes(lock, silent, silent);
    expect(await resolve()).toMatchObject({ name });
  });
});
