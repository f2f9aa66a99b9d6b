import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, documentV1 } from '@ragmesh/contracts';
import { FaultProxy } from '@ragmesh/testing';
import { ServiceMesh, eventually } from '../../knowledge/test/service-mesh.js';
import { S3BlobStore } from '../src/adapters/s3-blob-store.js';
import { documentService } from '../src/document.service.js';
import { BUCKET, S3Server, optionsFor } from './s3-server.js';

const file = new URL('../../../../shared/documents/', import.meta.url);
let mesh: ServiceMesh;
let server: S3Server;
let proxy: FaultProxy;
let folder: string;
let bucket: S3BlobStore;

const documents = () => mesh.client(documentV1.DocumentService);

function upload(bytes: Buffer, fileName: string) {
  async function* parts() {
    yield {
      part: { case: 'header' as const, value: { kind: documentV1.UploadKind.FILE, collection: 'default', fileName } },
    };
    yield { part: { case: 'data' as const, value: bytes } };
    yield { part: { case: 'complete' as const, value: true } };
  }
  return mesh.as('acme', () => documents().upload(parts()));
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
    expect(await readdir(join(folder, 'blobs'))).toEqual(['incoming']);
    expect(await readdir(join(folder, 'blobs/incoming'))).toEqual([]);
  });

  it('are refused while the bucket cannot be reached, with nothing half done', async () => {
    await proxy.set({ refuse: true });
    proxy.cut();
    const text = Buffer.from('A text that finds no room now.');
    await expect(upload(text, 'a.txt')).rejects.toMatchObject({ code: 'STORAGE.UNAVAILABLE' });
    const rows = await mesh.database('document').query('SELECT FROM document');
    expect(rows.rowCount).toBe(1);
    await proxy.clear();
    const { id } = await upload(text, 'a.txt');
    expect((await contentOf(id)).equals(text)).toBe(true);
  });
});
