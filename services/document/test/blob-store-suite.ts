import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { BlobStore } from '../src/adapters/blob-store.js';

export const LIMIT = 64 * 1024 * 1024;

/** A store to test, and what its operator could do to it. */
export interface OpenStore {
  readonly store: BlobStore;
  /** Folder of what is staged. */
  readonly incoming: string;
  /** Changes stored bytes behind the store's back; their length stays. */
  damage(tenant: string, key: string): Promise<void>;
  /** Keeps something else where the blobs are. @param name a path. */
  litter(name: string): Promise<unknown>;
  /** Another process on the same blobs. */
  another(): BlobStore;
  close(): Promise<void>;
}

export const keyOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function* inPieces(bytes: Buffer, size = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function put(store: BlobStore, tenant: string, bytes: Buffer): Promise<string> {
  const staged = await store.stage(inPieces(bytes), LIMIT);
  await store.publish(tenant, staged);
  await store.discard(staged);
  return staged.key;
}

export async function readAll(store: BlobStore, tenant: string, key: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of store.read(tenant, key)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function listed(store: BlobStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { tenant, key } of store.list()) names.push(`${tenant}/${key}`);
  return names.sort();
}

/** What every place for blobs must do. Tests follow each other on one store. */
export function blobStoreSuite(name: string, open: () => Promise<OpenStore>): void {
  describe(`blobs in ${name}`, () => {
    let opened: OpenStore;
    let store: BlobStore;

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened.close());

    it.each([0, 1, 4_097, 300_000])('gives back %i bytes as they were, under their SHA-256', async (length) => {
      const bytes = randomBytes(length);
      const key = await put(store, 'acme', bytes);
      expect(key).toBe(keyOf(bytes));
      expect(await store.size('acme', key)).toBe(length);
      expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
      expect((await readAll(opened.another(), 'acme', key)).equals(bytes)).toBe(true);
    });

    it('takes large files', async () => {
      const bytes = randomBytes(20 * 1024 * 1024 + 7);
      const key = await put(store, 'acme', bytes);
      expect(await store.size('acme', key)).toBe(bytes.length);
      expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
    });

    it('says what was staged, with its beginning', async () => {
      const bytes = randomBytes(10_000);
      const staged = await store.stage(inPieces(bytes, 3_000), LIMIT);
      expect(staged).toMatchObject({ key: keyOf(bytes), sha256: keyOf(bytes), bytes: 10_000 });
      expect(staged.head.equals(bytes.subarray(0, 4_096))).toBe(true);
      expect((await buffer(store.readStaged(staged.path))).equals(bytes)).toBe(true);
      await expect(store.size('acme', staged.key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
      await store.discard(staged);
    });

    it('keeps tenants apart, whatever their names are', async () => {
      const key = await put(store, 'a/b c', Buffer.from('of one tenant'));
      expect((await readAll(store, 'a/b c', key)).toString()).toBe('of one tenant');
      for (const other of ['a', 'acme', 'a/b', 'a%2Fb%20c']) {
        await expect(readAll(store, other, key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
        expect(await store.remove(other, key)).toBe(false);
      }
      expect(await listed(store)).toContain(`a/b c/${key}`);
    });

    it('does not know what was never stored', async () => {
      const key = keyOf(Buffer.from('never stored'));
      await expect(store.size('acme', key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
      await expect(readAll(store, 'acme', key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
      const use = (path: string) => readFile(path);
      await expect(store.withFile('acme', key, use)).rejects.toBeDefined();
    });

    it('stores the same bytes again without harm, also at the same time', async () => {
      const bytes = randomBytes(50_000);
      const keys = await Promise.all(Array.from({ length: 8 }, () => put(store, 'acme', bytes)));
      expect(new Set(keys)).toEqual(new Set([keyOf(bytes)]));
      expect((await readAll(store, 'acme', keys[0]!)).equals(bytes)).toBe(true);
      expect((await listed(store)).filter((name) => name.endsWith(keys[0]!))).toHaveLength(1);
    });

    it('gives staged bytes their name once, however often it is asked to, and again when they are gone', async () => {
      const bytes = randomBytes(1_000);
      const staged = await store.stage(inPieces(bytes), LIMIT);
      await store.prepare('acme', staged);
      await store.remove('acme', staged.key);
      for (let round = 0; round < 2; round += 1) await store.publish('acme', staged);
      expect((await readAll(store, 'acme', staged.key)).equals(bytes)).toBe(true);
      await store.discard(staged);
    });

    it('removes once, and says whether there was something', async () => {
      const key = await put(store, 'acme', randomBytes(100));
      expect(await store.remove('acme', key)).toBe(true);
      expect(await store.remove('acme', key)).toBe(false);
      await expect(store.size('acme', key)).rejects.toMatchObject({ code: 'BLOB.NOT_FOUND' });
      expect(await listed(store)).not.toContain(`acme/${key}`);
    });

    it('takes nothing that others keep beside it for a blob of its own', async () => {
      const before = await listed(store);
      const key = keyOf(Buffer.from('of somebody else'));
      const inFolder = `${key.slice(0, 2)}/${key}`;
      const unreadable = ['100%/x', `100%/${key}`, `101%/${inFolder}`];
      const otherwiseWritten = [`a%2fb/${key}`, `c%2fd/${inFolder}`];
      const others = ['db.dump', 'backups/db.dump', 'backups/2024/db.dump', `backups/2024/more/${key}`];
      for (const name of [...unreadable, ...otherwiseWritten, ...others]) await opened.litter(name);
      expect(await listed(store)).toEqual(before);
      expect(await store.remove('backups', 'db.dump')).toBe(false);
    });

    it('refuses what is too large, and leaves nothing of it', async () => {
      const before = await listed(store);
      const endless = async function* () {
        for (;;) yield randomBytes(1_000);
      };
      await expect(store.stage(endless(), 10_000)).rejects.toMatchObject({ code: 'DOCUMENT.TOO_LARGE' });
      const broken = async function* () {
        yield randomBytes(1_000);
        throw new Error('the caller went away');
      };
      await expect(store.stage(broken(), LIMIT)).rejects.toThrow('the caller went away');
      expect(await readdir(opened.incoming)).toEqual([]);
      expect(await listed(store)).toEqual(before);
    });

    it('never hands out damaged bytes whole', async () => {
      const bytes = randomBytes(200_000);
      const key = await put(store, 'acme', bytes);
      await opened.damage('acme', key);
      let got = 0;
      const reading = async () => {
        for await (const piece of store.read('acme', key)) got += piece.length;
      };
      await expect(reading()).rejects.toMatchObject({ code: 'BLOB.CORRUPT' });
      expect(got).toBeLessThan(bytes.length);
      await store.remove('acme', key);
      await put(store, 'acme', bytes);
      expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
    });

    it('lends a blob as a file, and keeps nothing of it aside', async () => {
      const bytes = randomBytes(30_000);
      const key = await put(store, 'acme', bytes);
      const lent = await store.withFile('acme', key, async (path) => (await readFile(path)).equals(bytes));
      expect(lent).toBe(true);
      const failing = store.withFile('acme', key, () => Promise.reject(new Error('cannot be parsed')));
      await expect(failing).rejects.toThrow('cannot be parsed');
      expect(await readdir(opened.incoming)).toEqual([]);
      expect((await readAll(store, 'acme', key)).equals(bytes)).toBe(true);
    });

    it('clears what a dead process left aside, not what a living one is at', async () => {
      const mine = await store.stage(inPieces(randomBytes(10)), LIMIT);
      await opened.another().clearIncoming();
      expect(existsSync(mine.path)).toBe(false);
      const here = encodeURIComponent(hostname());
      const living = [`${process.ppid}@${here}~living`, `${process.pid}@another-pod~living`];
      const left = [`4194304999@${here}~dead`, '1@another-pod~old'];
      for (const name of [...living, ...left]) await writeFile(join(opened.incoming, name), 'x');
      await utimes(join(opened.incoming, left[1]!), new Date(), new Date(Date.now() - 25 * 3_600_000));
      await store.clearIncoming();
      expect((await readdir(opened.incoming)).sort()).toEqual(living.sort());
      for (const name of living) await rm(join(opened.incoming, name));
    });

    it('keeps the blobs of every tenant when it clears, and removes what earlier releases left', async () => {
      const bytes = randomBytes(100);
      const key = await put(store, 'incoming', bytes);
      const before = join(dirname(opened.incoming), 'incoming');
      const dead = `4194304999@${encodeURIComponent(hostname())}~dead`;
      await mkdir(before, { recursive: true });
      await writeFile(join(before, dead), 'x');
      const longAgo = new Date(Date.now() - 25 * 3_600_000);
      for (const name of await readdir(before)) await utimes(join(before, name), longAgo, longAgo);
      await opened.another().clearIncoming();
      expect((await readAll(store, 'incoming', key)).equals(bytes)).toBe(true);
      expect(await listed(store)).toContain(`incoming/${key}`);
      expect(await readdir(before)).not.toContain(dead);
      await store.remove('incoming', key);
    });
  });
}
