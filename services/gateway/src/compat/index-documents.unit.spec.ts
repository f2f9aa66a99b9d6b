import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { RagmeshError, type ErrorCode } from '@ragmesh/errors';
import type { FastifyReply } from 'fastify';
import type { Calls } from '../api/calls.js';
import { setScope, type RequestScope } from '../http/request-scope.js';
import { IndexDocuments } from './index-documents.js';
import { indexRequest } from './index.schema.js';

/** What is kept of the time for the answer itself. */
const RESERVE_MS = 1_000;
/** Long enough for what is asked to be asked on a machine that stands still for a moment. */
const TIME_MS = 1_000;
const LATE_MS = 1_100;

const failing =
  (code: ErrorCode, afterMs = 0) =>
  async () => {
    await delay(afterMs);
    throw new RagmeshError(code, 'It failed.');
  };

/** Indexes documents called `ids` within `ms`, by these calls of the document service. */
function indexing(ids: readonly string[], ms: number, calls: { upload?: () => unknown; getDocument?: () => unknown }) {
  const upload = jest.fn(calls.upload ?? (() => Promise.resolve({ id: ids[0] })));
  const getDocument = jest.fn(calls.getDocument ?? (() => Promise.resolve({ status: 'ready', chunks: 1 })));
  const request = { raw: {} } as FastifyReply['request'];
  const clientLeft = new AbortController().signal;
  setScope(request, { clientLeft } as RequestScope);
  const edge = {
    documents: { upload, getDocument },
    retrieval: { clearCache: () => Promise.resolve({}) },
    stream: () => ({ signal: clientLeft, deadlineMs: ms + RESERVE_MS }),
    write: () => ({}),
    unary: () => ({}),
  } as unknown as Calls;
  const input = indexRequest.parse({ documents: ids.map((id) => ({ id, text: 'A text.' })) });
  return { upload, answer: new IndexDocuments(edge).run(input, { request } as FastifyReply) };
}

describe('a document of POST /index', () => {
  it('that was never uploaded for want of time has failed, and is not called pending by the id its client gave', async () => {
    const { upload, answer } = indexing(['a', 'b'], 0, {});
    await expect(answer).rejects.toMatchObject({ code: 'REQUEST.TIMEOUT' });
    expect(upload).not.toHaveBeenCalled();
  });

  it('whose upload failed until the time was up has failed as the upload did', async () => {
    const { answer } = indexing(['a'], TIME_MS, { upload: failing('DEPENDENCY.UNAVAILABLE', LATE_MS) });
    await expect(answer).rejects.toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });

  it.each<[string, number, () => unknown]>([
    ['is not ready when the time is up', TIME_MS, () => delay(LATE_MS, { status: 'processing', chunks: 0 })],
    ['cannot be asked after when the time is up', TIME_MS, failing('DOCUMENT.NOT_FOUND', LATE_MS)],
    ['cannot be asked after for now', 60_000, failing('DEPENDENCY.UNAVAILABLE')],
  ])('that was taken and %s is pending', async (_what, ms, getDocument) => {
    const { answer } = indexing(['a'], ms, { getDocument });
    expect(await answer).toMatchObject({ pending: 1, failed: 0, ids: ['a'], errors: [] });
  });

  it('that was taken and is gone has failed', async () => {
    const { answer } = indexing(['a'], 60_000, { getDocument: failing('DOCUMENT.NOT_FOUND') });
    await expect(answer).rejects.toMatchObject({ code: 'DOCUMENT.NOT_FOUND' });
  });
});
