import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { FaultProxy } from '@ragmesh/testing';
import { S3BlobStore, type S3Options } from '../src/adapters/s3-blob-store.js';
import { blobStoreSuite, keyOf, put, readAll } from './blob-store-suite.js';
import { BUCKET, S3Server, fullAfterOnePart, optionsFor, refusingServer } from './s3-server.js';

const folders: string[] = [];
const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'ragmesh-s3-'));
  folders.push(made);
  return made;
};
afterAll(async () => {
  for (const made of folders) await rm(made, { recursive: true, force: true });
});

blobStoreSuite('S3', async () => {
  const server = await S3Server.start(await folder());
  const local = await folder();
  const options = optionsFor(server.port);
  const admin = new S3Client({ ...options, requestChecksumCalculation: 'WHEN_REQUIRED' });
  const stores = [new S3BlobStore(options, local), new S3BlobStore(options, local)] as const;
  return {
    store: stores[0],
    incoming: join(local, '.incoming'),
    another: () => stores[1],
    damage: async (tenant, key) => {
      const { length } = await readAll(stores[0], tenant, key);
      const Key = `${encodeURIComponent(tenant)}/${key}`;
      await admin.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: randomBytes(length) }));
    },
    litter: (name) => admin.send(new PutObjectCommand({ Bucket: BUCKET, Key: name, Body: 'x' })),
    close: async () => {
      for (const store of stores) store.onApplicationShutdown();
      admin.destroy();
      await server.stop();
    },
  };
});

describe('S3 that fails', () => {
  let server: S3Server;
  let proxy: FaultProxy;
  const stores: S3BlobStore[] = [];
  const bytes = randomBytes(3_000_000);
  const large = randomBytes(20 * 1024 * 1024);

  const open = async (options: S3Options): Promise<S3BlobStore> => {
    const store = new S3BlobStore(options, await folder());
    stores.push(store);
    return store;
  };

  beforeAll(async () => {
    server = await S3Server.start(await folder());
    proxy = await FaultProxy.start({ target: server.port });
  });
  afterAll(async () => {
    for (const store of stores) store.onApplicationShutdown();
    await proxy.close();
    await server.stop();
  });

  it.each([
    // Three calls; what may be better in a moment is tried three times within each, unless it was asked by HEAD: answers to
    // that name no reason, so that 400 is tried once, and 404 is taken for a key that is not there.
    [503, 'SlowDown', 'STORAGE.UNAVAILABLE', 'transient', 9],
    [500, 'InternalError', 'STORAGE.UNAVAILABLE', 'transient', 9],
    [400, 'RequestTimeout', 'STORAGE.UNAVAILABLE', 'transient', 7],
    [507, 'XMinioStorageFull', 'STORAGE.FULL', 'transient', 3],
    [403, 'AccessDenied', 'STORAGE.REFUSED', 'permanent', 3],
    [403, 'InvalidAccessKeyId', 'STORAGE.REFUSED', 'permanent', 3],
    [404, 'NoSuchBucket', 'STORAGE.REFUSED', 'permanent', 4],
  ])('takes %i %s for %s (%s)', async (status, answer, code, retry, requests) => {
    const refusing = await refusingServer(status, answer);
    const store = await open(optionsFor(refusing.port));
    await expect(put(store, 'acme', bytes)).rejects.toMatchObject({ code, retry });
    await expect(readAll(store, 'acme', keyOf(bytes))).rejects.toMatchObject({ code, retry });
    await expect(store.list().next()).rejects.toMatchObject({ code, retry });
    expect(refusing.seen()).toBe(requests);
    refusing.stop();
  });

  it('says that a real server knows neither its bucket nor its key', async () => {
    const elsewhere = await open(optionsFor(server.port, { bucket: 'no-such-bucket' }));
    await expect(put(elsewhere, 'acme', bytes)).rejects.toMatchObject({ code: 'STORAGE.REFUSED' });
    const stranger = { accessKeyId: 'STRANGER', secretAccessKey: 'unknown' };
    const unknown = await open(optionsFor(server.port, { credentials: stranger }));
    await expect(put(unknown, 'acme', bytes)).rejects.toMatchObject({ code: 'STORAGE.REFUSED' });
  });

  it('is unavailable while the server cannot be reached, and goes on after', async () => {
    const store = await open(optionsFor(proxy.port));
    await proxy.set({ refuse: true });
    await expect(put(store, 'acme', bytes)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    await proxy.clear();
    const key = await put(store, 'acme', bytes);
    expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
  });

  it('notices an answer that ends in the middle', async () => {
    const store = await open(optionsFor(proxy.port));
    const key = await put(store, 'acme', bytes);
    proxy.cut();
    await proxy.set({ resetAfterBytes: 1_000_000 });
    await expect(readAll(store, 'acme', key)).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    await proxy.clear();
    expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
  });

  it('asks the server to forget the parts of a large upload that fails', async () => {
    const full = await fullAfterOnePart();
    const store = await open(optionsFor(full.port));
    await expect(put(store, 'acme', large)).rejects.toMatchObject({ code: 'STORAGE.FULL' });
    full.stop();
    const own = full.requests.filter((line) => line.includes(keyOf(large)));
    expect(own.filter((line) => line.startsWith('PUT ') && !line.includes('partNumber='))).toEqual([]);
    expect(own.at(-1)).toMatch(/^DELETE .*uploadId=unfinished/);
  });

  it('shows nothing of a large upload that breaks off, and takes it in parts afterwards', async () => {
    const store = await open(optionsFor(proxy.port));
    const publishing = put(store, 'acme', large);
    await proxy.set({ bytesPerSecond: 40_000_000 });
    const cuts = setInterval(() => proxy.cut(), 30);
    const outcome = await publishing.then(
      () => 'stored',
      (error: { code?: string }) => error.code,
    );
    clearInterval(cuts);
    await proxy.clear();
    if (outcome === 'stored') expect((await readAll(store, 'acme', keyOf(large))).equals(large)).toBe(true);
    else {
      expect(outcome).toBe('STORAGE.UNAVAILABLE');
      await expect(store.size('acme', keyOf(large))).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
    }
    await store.remove('acme', keyOf(large));
    const before = server.requests.length;
    expect(await put(store, 'acme', large)).toBe(keyOf(large));
    const puts = server.requests.slice(before).filter((line) => line.startsWith('PUT '));
    const parts = puts.map((line) => /partNumber=(\d+)&uploadId=/.exec(line)?.[1]).toSorted();
    expect(parts).toEqual(['1', '2', '3']); // of 8 MiB each
  });
});
