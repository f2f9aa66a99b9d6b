import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateMultipartUploadCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { createLogger } from '@ragmesh/observability';
import { FaultProxy, eventually } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { BlobCollector } from '../src/adapters/blob-collector.js';
import { S3BlobStore } from '../src/adapters/s3-blob-store.js';
import { documentService } from '../src/document.service.js';
import { keyOf, put } from './blob-store-suite.js';
import { BUCKET, S3Server, optionsFor } from './s3-server.js';
import { uploadMessages } from './upload-messages.js';

const file = new URL('../../../../shared/documents/', import.meta.url);
const PIECE_BYTES = 1_000_000;
let mesh: ServiceMesh;
let server: S3Server;
let proxy: FaultProxy;
let folder: string;
let bucket: S3BlobStore;

const documents = () => mesh.client(documentV1.DocumentService);

function upload(bytes: Buffer, fileName: string) {
  const messages = uploadMessages({ kind: documentV1.UploadKind.FILE, fileName }, bytes, PIECE_BYTES);
  return mesh.as('acme', () => documents().upload(messages, { deadlineMs: 120_000 }));
}

async function contentOf(id: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  await mesh.as('acme', async () => {
    for await (const { data } of documents().getContent({ id })) pieces.push(data);
  });
  return Buffer.concat(pieces);
}

async function keysInBucket(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { tenant, key } of bucket.list()) keys.push(`${tenant}/${key}`);
  return keys;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-document-s3-'));
  server = await S3Server.start(join(folder, 's3'));
  proxy = await FaultProxy.start({ target: server.port });
  bucket = new S3BlobStore(optionsFor(server.port), join(folder, 'spec'));
  mesh = await ServiceMesh.start(catalogue.documentChunked.topic);
  await mesh.run(documentService, {
    RAGMESH_DATA_DIR: folder,
    S3_BUCKET: BUCKET,
    S3_ENDPOINT: `http://${proxy.address}`,
    DOCUMENT_MAX_BYTES: '200mb',
    S3_ACCESS_KEY_ID: 'S3RVER',
    S3_SECRET_ACCESS_KEY: 'S3RVER',
  });
});
afterAll(async () => {
  await mesh.stop();
  bucket.onApplicationShutdown();
  await proxy.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('documents in a bucket', () => {
  it('are parsed from there and read back byte for byte', async () => {
    const bytes = await readFile(new URL('word_sample.docx', file));
    const { id } = await upload(bytes, 'word_sample.docx');
    await eventually('it was chunked', () =>
      mesh.eventsOf(catalogue.documentChunked).some(({ payload }) => payload.documentId === id),
    );
    expect((await contentOf(id)).equals(bytes)).toBe(true);
    const keys = await keysInBucket();
    expect(keys).toHaveLength(2); // the upload and its text
    expect(keys.every((key) => key.startsWith('acme/'))).toBe(true);
    expect(await readdir(join(folder, 'blobs'))).toEqual(['.incoming']);
    expect(await readdir(join(folder, 'blobs/.incoming'))).toEqual([]);
  });

  it('are fetched no faster than their reader reads', async () => {
    const bytes = randomBytes(160_000_000); // far more than the sockets on its way may hold, 32 MiB each on some machines
    const { id } = await upload(bytes, 'unreadable.bin');
    const status = async () => (await mesh.as('acme', () => documents().getDocument({ id }))).status;
    await eventually('nothing but the reader fetches it', async () => (await status()) === 'failed');
    const before = server.sentBytes;
    const pieces = documents().getContent({ id })[Symbol.asyncIterator]();
    await mesh.as('acme', () => pieces.next());
    let seen = -1;
    await eventually('nothing more is fetched', async () => {
      const [earlier, now] = [seen, server.sentBytes];
      seen = now;
      await delay(300);
      return now === earlier && now > before;
    });
    expect(seen - before).toBeLessThan((bytes.length * 3) / 4);
    await pieces.return?.(undefined);
  });

  it('keep nobody else waiting while they are brought there slowly', async () => {
    const { id } = await upload(Buffer.from('A text that is there already.'), 'known.txt');
    await eventually('nothing is under way', () =>
      mesh.eventsOf(catalogue.documentChunked).some(({ payload }) => payload.documentId === id),
    );
    await proxy.set({ bytesPerSecond: 20_000 });
    let ended = 0;
    const uploads = Array.from({ length: 12 }, async (_, number) => {
      await upload(Buffer.alloc(600_000, `${number} of many. `), `${number}.txt`);
      ended += 1;
    });
    for (let look = 0; look < 5; look += 1) await mesh.as('acme', () => documents().getDocument({ id }));
    expect(ended).toBe(0);
    await proxy.clear();
    await Promise.all(uploads);
  });

  it('are refused while the bucket cannot be reached, with nothing half done', async () => {
    await proxy.set({ refuse: true });
    proxy.cut();
    const text = Buffer.from('A text that finds no room now.');
    await expect(upload(text, 'a.txt')).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    const rows = await mesh.database('document').query(`SELECT FROM document WHERE title = 'a.txt'`);
    expect(rows.rowCount).toBe(0);
    await proxy.clear();
    const { id } = await upload(text, 'a.txt');
    expect((await contentOf(id)).equals(text)).toBe(true);
  });
});

describe('what killed processes left in a bucket', () => {
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
  const key = (name: string) => `acme/${keyOf(Buffer.from(name))}`;
  const warnings: { code: string; message: string }[] = [];
  const logger = createLogger('document', 'warn', { write: (line) => void warnings.push(JSON.parse(line)) });
  /** What is in the bucket of uploads that were never completed. */
  const unfinished = async (): Promise<string[]> => {
    const ids = await readdir(server.uploads);
    return Promise.all(ids.map((id) => readFile(join(server.uploads, id, 'key'), 'utf8')));
  };

  async function leave(Key: string, begun: Date): Promise<void> {
    const client = new S3Client({ ...optionsFor(server.port), requestChecksumCalculation: 'WHEN_REQUIRED' });
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key }));
    await client.send(new UploadPartCommand({ Bucket: BUCKET, Key, UploadId, PartNumber: 1, Body: 'A part.' }));
    client.destroy();
    await utimes(join(server.uploads, UploadId!), begun, begun);
  }

  /** A service that starts removes what nothing refers to. */
  /** @param left so many uploads are left when it is through. */
  async function cleaned(left: number): Promise<void> {
    const orphan = await put(bucket, 'acme', randomBytes(100));
    const collector = new BlobCollector(mesh.database('document'), bucket, logger);
    await collector.onApplicationBootstrap();
    await eventually('the blob is gone', async () => !(await keysInBucket()).includes(`acme/${orphan}`));
    await eventually('what else goes is gone', async () => (await unfinished()).length <= left);
    await collector.onModuleDestroy();
  }

  it('is removed with the parts of uploads that no process can be at any more, and with nothing else', async () => {
    const left = ['one', 'two', 'three', 'four', 'five'].map(key);
    for (const name of left) await leave(name, hours(25));
    const kept = [key('a running upload'), 'acme/somebody-elses.zip'];
    await leave(kept[0]!, hours(23));
    await leave(kept[1]!, hours(25));
    await cleaned(kept.length);
    expect((await unfinished()).toSorted()).toEqual(kept.toSorted());
    expect(warnings).toEqual([]);
  });

  it('is removed but for such parts where the key may not see them, which is said', async () => {
    await leave(key('one'), hours(25));
    server.hidesUploads = true;
    await cleaned(Infinity);
    expect(await unfinished()).toContain(key('one'));
    expect(warnings).toMatchObject([
      { code: 'STORAGE.REFUSED', message: expect.stringContaining('interrupted uploads') },
    ]);
  });
});
