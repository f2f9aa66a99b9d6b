import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName, type ServiceName } from '@ragmesh/contracts';
import { Database, attachEmbedded, createPool } from '@ragmesh/postgres';
import { eventually } from '@ragmesh/testing';
import { docxOf } from '../../document/test/zip.builder.js';
import { ApiClient } from './api-client.js';
import { newDataDir, removeDataDir } from './mesh-fixture.js';
import { MeshOracle } from './mesh-oracle.js';
import { MeshProcess } from './mesh-process.js';

const MIB = 1024 * 1024;
const LARGEST = MIB / 2;
/** Half as long as a key is held that nobody gives back. */
const FREED_WITHIN_MS = 15_000;

let dataDir: string;
let mesh: MeshProcess;

const openDatabase = (service: ServiceName): Database =>
  new Database(createPool(attachEmbedded(dataDir)!(databaseName(service))));

function filesAside(): string[] {
  const incoming = join(dataDir, 'blobs/.incoming');
  return existsSync(incoming) ? readdirSync(incoming) : [];
}

beforeAll(async () => {
  dataDir = await newDataDir();
  // PostgreSQL is started without the limit and found again, so that only what ragmesh itself writes is limited.
  await (await MeshProcess.start(dataDir)).kill();
  mesh = await MeshProcess.start(dataDir, { largestFile: LARGEST });
});
afterAll(async () => {
  await mesh.stop();
  await removeDataDir(dataDir);
});

describe('a disk without room', () => {
  it('refuses the upload with 507 and keeps nothing of it', async () => {
    const api = new ApiClient(mesh.url);
    const refused = await api.uploadFile('large.txt', Buffer.alloc(3 * MIB, 'a'));
    expect(refused).toMatchObject({ status: 507, body: { code: 'STORAGE.FULL', retryable: true } });
    expect(filesAside()).toEqual([]);
    expect((await api.call('GET', '/v1/documents')).body['data']).toEqual([]);
  });

  it('goes on taking what fits', async () => {
    const api = new ApiClient(mesh.url);
    const { body } = await api.uploadFile('small.txt', Buffer.from('A small letter.'));
    expect((await api.terminal(body['id'] as string)).status).toBe('ready');
  });
});

/** Lets PostgreSQL refuse new documents as it does on a full disk. */
async function withoutRoomForDocuments(work: () => Promise<void>): Promise<void> {
  const database = openDatabase('document');
  try {
    await database.query(`CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'disk full' USING ERRCODE = 'disk_full'; END $$`);
    await database.query('CREATE TRIGGER disk_full BEFORE INSERT ON document_version EXECUTE FUNCTION disk_full()');
    await work();
  } finally {
    await database.query('DROP FUNCTION disk_full CASCADE');
    await database.close();
  }
}

describe('a database without room', () => {
  it('refuses the upload with 507, keeps nothing of it and gives its idempotency key back', async () => {
    const api = new ApiClient(mesh.url);
    const headers = { 'idempotency-key': 'letter-1' };
    const text = 'A letter that finds no room.';
    await withoutRoomForDocuments(async () => {
      const refused = await api.upload({ id: 'refused', text }, headers);
      expect(refused).toMatchObject({ status: 507, body: { code: 'STORAGE.FULL', retryable: true } });
    });
    expect((await api.call('GET', '/v1/documents/refused')).status).toBe(404);
    const began = performance.now();
    const { status } = await api.upload({ id: 'another', text: 'Another letter under the same key.' }, headers);
    expect(status).toBe(202);
    expect(performance.now() - began).toBeLessThan(FREED_WITHIN_MS);
    expect((await api.terminal('another')).status).toBe('ready');
    const key = createHash('sha256').update(text).digest('hex');
    const blob = join(dataDir, 'blobs/default', key.slice(0, 2), key);
    await eventually('its bytes are gone', () => !existsSync(blob));
  });
});

describe('a disk that is full by the time a file is read', () => {
  it('fails no document: it becomes ready once there is room, and nothing is left aside', async () => {
    const paragraphs = Array.from(
      { length: 100 },
      (_, at) => `<w:p><w:r><w:t>${`Letter ${at}. `.repeat(600)}</w:t></w:r></w:p>`,
    );
    const { status, body } = await new ApiClient(mesh.url).uploadFile('letters.docx', docxOf(paragraphs.join('')));
    expect(status).toBe(202);
    const id = body['id'] as string;
    await eventually('its text found no room', () =>
      /"handler":"document.chunk-created","code":"STORAGE.FULL"/.test(
        readFileSync(join(dataDir, 'ragmesh.log'), 'utf8'),
      ),
    );
    await eventually('nothing is left aside', () => filesAside().length === 0);
    const waiting = await new ApiClient(mesh.url).call('GET', `/v1/documents/${id}`);
    expect(waiting.body).toMatchObject({ status: expect.stringMatching(/^(uploaded|processing)$/), error: null });
    await mesh.stop();
    mesh = await MeshProcess.start(dataDir);
    expect(await new ApiClient(mesh.url).terminal(id)).toMatchObject({ status: 'ready', error: null });
  });

  it('leaves no row and no blob of what was refused', async () => {
    const oracle = new MeshOracle({ openDatabase }, dataDir);
    let found: string[] = [];
    const isWhole = async () => (found = await oracle.violations()).length === 0;
    await eventually(() => `every promise holds, only ${found.join('; ')}`, isWhole).finally(() => oracle.close());
  });
});
