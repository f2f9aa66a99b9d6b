import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentV1 } from '@ragmesh/contracts';
import { ServiceMesh, eventually } from '../../knowledge/test/service-mesh.js';
import { documentService } from '../src/document.service.js';

const book = new URL('../../../../shared/documents/u-pdf2image-memory-error-test-400p.pdf', import.meta.url);
const others = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask'];

let mesh: ServiceMesh;
let folder: string;

function upload(bytes: Buffer, fileName: string) {
  async function* parts() {
    const value = { kind: documentV1.UploadKind.FILE, collection: 'default', fileName };
    yield { part: { case: 'header' as const, value } };
    yield { part: { case: 'data' as const, value: bytes } };
    yield { part: { case: 'complete' as const, value: true } };
  }
  return mesh.as('acme', () => mesh.client(documentV1.DocumentService).upload(parts()));
}

/** Milliseconds since the epoch at which the saga of a document gives its step up. */
async function deadlineOf(id: string): Promise<number> {
  const { rows } = await mesh
    .database('document')
    .query<{ step: string; deadline: Date }>('SELECT step, deadline FROM saga WHERE starts_with(id, $1)', [
      `acme/${id}@`,
    ]);
  expect(rows).toMatchObject([{ step: 'chunk' }]);
  return rows[0]!.deadline.getTime();
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-parser-queue-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder, PARSE_CONCURRENCY: '1' });
});
afterEach(() => void jest.useRealTimers());
afterAll(async () => {
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a document whose file waits for a parser', () => {
  it('is not given up while somebody is at it', async () => {
    jest.useFakeTimers({ doNotFake: [...others, 'Date', 'performance', 'hrtime'] as never });
    const bytes = await readFile(book);
    await upload(bytes, 'book.pdf');
    const { id } = await upload(Buffer.concat([bytes, Buffer.from('\n')]), 'the same once more.pdf');
    const before = await deadlineOf(id);
    await eventually('it has more time', async () => {
      jest.advanceTimersByTime(60_000);
      return (await deadlineOf(id)) > before;
    });
  });
});
