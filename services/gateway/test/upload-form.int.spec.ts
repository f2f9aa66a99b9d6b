import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { startEdgeWithDocuments, type EdgeWithDocuments } from './edge-with-documents.js';
import { formWithMetadata, nested, rawForm } from './raw-form.js';

let edge: EdgeWithDocuments;
beforeAll(async () => void (edge = await startEdgeWithDocuments({})));
afterAll(() => edge?.close());

const readJson = async (path: string): Promise<Record<string, unknown>> =>
  (await (await fetch(`${edge.url}${path}`)).json()) as Record<string, unknown>;

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

describe('a JSON body', () => {
  const sent = (body: object): RequestInit => ({
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

  it('of ready-made chunks is served as the JSON it is', async () => {
    const chunks = [{ text: 'One piece.' }, { text: 'Another piece.' }];
    const { body } = await upload(sent({ id: 'pieces', chunks }));
    expect(body).toMatchObject({ id: 'pieces' });
    const document = await eventually('they are read', async () => {
      const now = await readJson('/v1/documents/pieces');
      return now['stage'] === 'embed' ? now : undefined;
    });
    expect(document).toMatchObject({ media_type: 'application/json' });
    const content = await fetch(`${edge.url}/v1/documents/pieces/content`);
    expect(content.headers.get('content-type')).toBe('application/json');
    expect(await content.json()).toMatchObject(chunks);
  });

  it.each(['\u0939\u093f\u0928\u094d\u0926\u0940', '\u0ba4\u0bae\u0bbf\u0bb4\u0bcd'])(
    'may name its document and its collection with a word that has combining marks: %s',
    async (id) => {
      expect(await upload(sent({ id, collection: id, text: `A text about ${id}.` }))).toMatchObject({ status: 202 });
      expect(await readJson(`/v1/documents/${encodeURIComponent(id)}`)).toMatchObject({ id, collection: id });
    },
  );
});
