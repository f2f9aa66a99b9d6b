import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeWithDocuments, type EdgeWithDocuments } from './edge-with-documents.js';
import { formWithMetadata, nested, rawForm } from './raw-form.js';

let edge: EdgeWithDocuments;
beforeAll(async () => void (edge = await startEdgeWithDocuments({})));
afterAll(() => edge?.close());

const upload = async (form: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
  const response = await fetch(`${edge.url}/v1/documents`, form);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('a form', () => {
  it.each([
    ['without a name', 'name="file"\r\nContent-Type: application/octet-stream'],
    ['with an empty name', 'name="file"; filename=""'],
    ['with a name in another script', 'name="file"; filename*=UTF-8\'\'%E2%82%AC.txt'],
  ])('may hold a file %s', async (_what, headers) => {
    expect(await upload(rawForm([headers, `A text ${headers}.`]))).toMatchObject({ status: 202 });
  });

  it('with an Idempotency-Key may hold a file without a name, and is told from another', async () => {
    const form = (text: string): RequestInit => {
      const init = rawForm(['name="file"\r\nContent-Type: application/octet-stream', text]);
      return { ...init, headers: { ...(init.headers as Record<string, string>), 'idempotency-key': 'nameless' } };
    };
    const first = await upload(form('one'));
    expect(first.status).toBe(202);
    expect(await upload(form('one'))).toEqual(first);
    expect((await upload(form('two'))).status).toBe(422);
  });

  it.each([
    ['files', 101, 'name="file"; filename="a.txt"', { field: 'file', limit: 100 }],
    ['fields', 21, 'name="none"', { limit: 20 }],
  ])('with too many %s is told how many it may have', async (_what, count, headers, told) => {
    const parts = Array.from(
      { length: count },
      (_, n) => [headers.replace('none', `none${n}`), 'One of many.'] as const,
    );
    expect(await upload(rawForm(...parts))).toMatchObject({
      status: 413,
      body: { code: 'REQUEST.TOO_LARGE', ...told },
    });
  });

  it.each(['text/plain', 'application/json'])('takes metadata as deep as a JSON body may hold, as %s', async (type) => {
    expect(await upload(formWithMetadata(nested(31), type))).toMatchObject({ status: 202 });
    expect(await upload(formWithMetadata(nested(32), type))).toMatchObject({
      status: 422,
      body: { code: 'REQUEST.TOO_DEEP', field: 'metadata', limit: 31 },
    });
  });
});
