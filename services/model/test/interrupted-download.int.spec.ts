import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, statfs, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { HubClient } from '../src/adapters/hub/hub-client.js';
import { HubSource } from '../src/adapters/hub/hub-source.js';
import { ModelResolver } from '../src/adapters/model-source.js';
import { AllowedHosts } from '../src/domain/allowed-hosts.js';
import { HubServer } from './hub-server.js';

const weights = 'onnx/model_quantized.onnx';
const name = 'acme/tiny';
const files = {
  'config.json': JSON.stringify({ architectures: ['BertModel'], hidden_size: 32 }),
  'tokenizer.json': '{}',
  [weights]: randomBytes(200_000),
};

let folder: string;
let server: HubServer;

function sourceOf(offline = false): HubSource {
  const client = new HubClient({
    ...{ endpoint: server.url, silenceMs: 20_000, allowedHosts: new AllowedHosts([server.cdnHost]) },
  });
  return new HubSource({ client, folder, dtype: 'q8', offline, logger: createLogger('model', 'silent') });
}
const resolve = (source = sourceOf()) => new ModelResolver([source]).resolve(name);
const modelFolder = () => `acme--tiny@${server.commit}.q8`;
const published = () => join(folder, modelFolder());
const staging = () => join(folder, '.downloads', modelFolder());
const lock = () => `${staging()}.lock`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-hub-'));
  server = await HubServer.start(name, files);
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a download that broke off', () => {
  it('is taken over from a process that was killed in the middle', async () => {
    server.faults.silent = true;
    const program = fileURLToPath(new URL('./resolve-from-hub.mjs', import.meta.url));
    const child = fork(program, [server.url, server.cdnHost, folder, name]);
    await eventually('the weights are asked for', () => server.count(`CDN ${weights}`) > 0);
    expect(existsSync(lock())).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    server.faults.silent = false;
    expect(await resolve()).toMatchObject({ name });
    expect(existsSync(lock())).toBe(false);
  });

  it.each(['', '{"id":"cut', 'null', '{}'])('is taken up again though its lock reads %j', async (content) => {
    await mkdir(staging(), { recursive: true });
    await writeFile(lock(), content);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock(), longAgo, longAgo);
    expect(await resolve()).toMatchObject({ name });
  });

  it('does not vouch for a file whose bytes were lost after it had been checked', async () => {
    await resolve();
    await rename(published(), staging());
    await writeFile(join(staging(), weights), Buffer.alloc(200_000));
    const model = await resolve();
    expect((await readFile(join(model.folder, weights))).equals(files[weights] as Buffer)).toBe(true);
  });
});

describe('a manifest that lost its bytes', () => {
  it.each([0, 20])('is made again when %d of them are left, from the files that are here', async (left) => {
    const model = await resolve();
    await truncate(join(published(), 'manifest.json'), left);
    expect(await resolve()).toEqual(model);
    expect(server.count(`CDN ${weights}`)).toBe(1);
    expect(existsSync(staging())).toBe(false);
  });

  it('is named as such where nothing may be downloaded in its place, not passed over for an older one', async () => {
    await resolve();
    server.commit = 'beef'.padEnd(40, '0');
    await resolve();
    await truncate(join(published(), 'manifest.json'), 20);
    const corrupt = { code: 'MODEL.CORRUPT' };
    for (const reference of [name, `${name}@${server.commit}`]) {
      await expect(new ModelResolver([sourceOf(true)]).resolve(reference)).rejects.toMatchObject(corrupt);
      const here = new ModelResolver([sourceOf()]).resolve(reference, { localOnly: true });
      await expect(here).rejects.toMatchObject(corrupt);
    }
  });
});

describe('a manifest that cannot be read at the moment', () => {
  it('says nothing against its model, which stays where it is', async () => {
    const model = await resolve();
    const manifest = join(published(), 'manifest.json');
    await rename(manifest, `${manifest}.aside`);
    await symlink(manifest, manifest); // refused to root, too
    const unreadable = { code: 'STORAGE.UNAVAILABLE', details: { reason: 'ELOOP' } };
    await expect(resolve()).rejects.toMatchObject(unreadable);
    await rename(`${manifest}.aside`, manifest);
    expect(await resolve()).toEqual(model);
    expect(server.count(`CDN ${weights}`)).toBe(1);
  });
});

describe('a disk without room', () => {
  it.each(['manifest.json', 'config.json.part'])('is named, and nothing stays, when %s meets it', async (file) => {
    await mkdir(staging(), { recursive: true });
    await symlink('/dev/full', join(staging(), file));
    await expect(resolve()).rejects.toMatchObject({ code: 'STORAGE.FULL' });
    expect(existsSync(staging())).toBe(false);
    expect(existsSync(published())).toBe(false);
    expect(await resolve()).toMatchObject({ name });
  });

  it('is not promised to two downloads at once, and what the one refused has brought already stays', async () => {
    const { bavail, bsize } = await statfs(folder);
    server.faults.announcedBytes = Math.floor(bavail * bsize * 0.6);
    server.faults.silent = true;
    const source = sourceOf();
    const first = resolve(source).catch((error: unknown) => error);
    await eventually('the first download runs', () => server.count(`CDN ${weights}`) > 0);
    server.commit = 'beef'.padEnd(40, '0');
    await mkdir(join(staging(), 'onnx'), { recursive: true });
    await writeFile(join(staging(), `${weights}.part`), 'begun');
    await expect(resolve(source)).rejects.toMatchObject({ code: 'STORAGE.FULL' });
    expect(await readFile(join(staging(), `${weights}.part`), 'utf8')).toBe('begun');
    await server.close();
    expect(await first).toMatchObject({ code: 'MODEL.DOWNLOAD_FAILED' });
  });

  it('is not needed again for what is here already', async () => {
    await mkdir(join(staging(), 'onnx'), { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    const there = Math.floor(bavail * bsize * 1.5);
    server.faults.announcedBytes = there;
    await writeFile(join(staging(), `${weights}.part`), '');
    await truncate(join(staging(), `${weights}.part`), there - 1_000_000);
    server.faults.silent = true;
    const running = resolve().catch((error: unknown) => error);
    await eventually('the rest is asked for', () => server.count(`CDN ${weights} bytes=`) > 0);
    await server.close();
    expect(await running).toMatchObject({ code: 'MODEL.DOWNLOAD_FAILED' });
  });
});
