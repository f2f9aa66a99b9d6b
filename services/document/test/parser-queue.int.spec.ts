import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { documentV1 } from '@ragmesh/contracts';
import { eventually, hastenTimers } from '@ragmesh/testing';
import { ServiceMesh } from '../../knowledge/test/service-mesh.js';
import { SHOWN_AFTER_MS, TOLD_EVERY_MS } from '../src/commands/ingestion-process.js';
import { documentService } from '../src/document.service.js';
import { ParserChildren } from './parser-children.js';
import { uploadMessages } from './upload-messages.js';

const book = new URL('../../../../shared/documents/u-pdf2image-memory-error-test-400p.pdf', import.meta.url);

let mesh: ServiceMesh;
let folder: string;
const parsers = new ParserChildren();

function upload(bytes: Buffer, fileName: string, kind = documentV1.UploadKind.FILE) {
  const messages = uploadMessages({ kind, fileName }, bytes);
  return mesh.as('acme', () => mesh.client(documentV1.DocumentService).upload(messages));
}

const shown = (id: string) => mesh.as('acme', () => mesh.client(documentV1.DocumentService).getDocument({ id }));

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

/** Of these documents, the sagas that wait for this step. */
async function waitingFor(step: string, ids: readonly string[]): Promise<{ id: string; deadline: Date }[]> {
  const { rows } = await mesh
    .database('document')
    .query<{ id: string; deadline: Date }>(
      `SELECT id, deadline FROM saga WHERE step = $1 AND status = 'running' AND data ->> 'documentId' = ANY($2)`,
      [step, ids],
    );
  return rows;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ragmesh-parser-queue-'));
  mesh = await ServiceMesh.start();
  await mesh.run(documentService, { RAGMESH_DATA_DIR: folder, PARSE_CONCURRENCY: '1' });
});
afterEach(() => {
  jest.restoreAllMocks();
  parsers.release();
});
afterAll(async () => {
  parsers.forget();
  await mesh.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('a document whose file waits for a parser', () => {
  it('is not given up while somebody is at it, and is seen to be processed', async () => {
    hastenTimers(SHOWN_AFTER_MS, TOLD_EVERY_MS);
    const bytes = await readFile(book);
    await upload(bytes, 'book.pdf');
    const { id } = await upload(Buffer.concat([bytes, Buffer.from('\n')]), 'the same once more.pdf');
    const before = await deadlineOf(id);
    await eventually('it has more time', async () => (await deadlineOf(id)) > before);
    expect(await shown(id)).toMatchObject({ status: 'processing', stage: 'parse', progress: 0 });
  });
});

describe('more files than the service handles events at once', () => {
  const MANY = 24;
  const SLOTS = 16;

  it('hold nobody else up while they wait for a parser, and none of them is given up', async () => {
    hastenTimers(SHOWN_AFTER_MS, TOLD_EVERY_MS);
    parsers.hold(); // or fewer would wait before all are looked at
    const bytes = await readFile(book);
    const books: string[] = [];
    for (let more = 2; more < MANY + 2; more += 1)
      books.push((await upload(Buffer.concat([bytes, Buffer.alloc(more, '\n')]), `${more}.pdf`)).id);
    const { id: note } = await upload(Buffer.from('A note.'), 'note.txt', documentV1.UploadKind.TEXT);
    await eventually('the note is cut', async () => (await waitingFor('chunk', [note])).length === 0);
    expect((await waitingFor('chunk', books)).length).toBeGreaterThan(SLOTS);
    await eventually('a crash would say nothing about those that wait', async () => {
      const sql = `SELECT FROM inbox WHERE handler_id = 'document.chunk-created' AND starts > 0 AND finished_at IS NULL`;
      return (await mesh.database('document').query(sql)).rowCount <= 1;
    });
    const given = await waitingFor('chunk', books);
    await eventually('each has more time', async () => {
      const now = await waitingFor('chunk', books);
      expect(now.length).toBeGreaterThan(SLOTS);
      return now.every(({ id, deadline }) => deadline > given.find((saga) => saga.id === id)!.deadline);
    });
  });
});
