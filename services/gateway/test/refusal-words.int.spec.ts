import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { rawForm } from './raw-form.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge?.close());

interface Told {
  readonly status: number;
  readonly code: string;
  readonly field?: string;
  readonly detail: string;
}

async function told(path: string, init: RequestInit): Promise<Told> {
  const response = await fetch(`${edge.url}${path}`, { method: 'POST', ...init });
  const { status, code, field, detail } = (await response.json()) as Told;
  return { status, code, ...(field === undefined ? {} : { field }), detail };
}

const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});
const text = (name: string, value: string): RequestInit => rawForm([`name="${name}"`, value]);

describe('a refusal', () => {
  const plain = { headers: { 'content-type': 'text/plain' }, body: 'x' };

  it.each<[string, string, RequestInit, Omit<Told, 'status' | 'code'>]>([
    [
      'a file sent as text',
      '/v1/documents',
      text('file', 'hello'),
      { field: 'file', detail: 'Field file holds text, not a file: with curl, send it as -F file=@name.' },
    ],
    [
      'filters that are a list',
      '/v1/search',
      json({ query: 'x', filters: [] }),
      { field: 'filters', detail: 'Field filters must be an object.' },
    ],
    [
      'a number in metadata that no number holds',
      '/v1/documents',
      json('{"text":"a","metadata":{"deep":{"size":1e400}}}'),
      {
        field: 'metadata.deep.size',
        detail: 'Field metadata.deep.size is beyond the largest number (about 1.8e308).',
      },
    ],
    [
      'a number that no number holds',
      '/v1/search',
      json('{"query":"x","top_k":-1e400}'),
      { field: 'top_k', detail: 'Field top_k is beyond the largest number (about 1.8e308).' },
    ],
    [
      'form metadata with such a number',
      '/v1/documents',
      rawForm(['name="metadata"', '{"size":1e400}'], ['name="file"; filename="a.txt"', 'a']),
      { field: 'metadata.size', detail: 'Field metadata.size is beyond the largest number (about 1.8e308).' },
    ],
    [
      'a form field that is no number',
      '/v1/documents',
      rawForm(['name="chunk_size"', 'ten'], ['name="file"; filename="a.txt"', 'a']),
      { field: 'chunk_size', detail: 'Field chunk_size is invalid: it must be a whole number.' },
    ],
    [
      'text beside an address',
      '/v1/documents',
      json({ text: 'a', url: 'http://a.example/' }),
      { field: 'url', detail: 'Exactly one of text, url and chunks must be given; text and url were.' },
    ],
    [
      'neither',
      '/v1/documents',
      json({}),
      { field: 'text', detail: 'Exactly one of text, url and chunks must be given; none was.' },
    ],
    [
      'an access list that names nobody',
      '/v1/documents',
      json({ text: 'a', access: ['bob'] }),
      {
        field: 'access[0]',
        detail:
          'Field access[0] is invalid: it must name whom to admit, such as key:<id>, jwt:<sub>, group:<name> or role:reader.',
      },
    ],
    [
      'an id nothing can have',
      '/v1/documents',
      json({ text: 'a', id: 'a b' }),
      {
        field: 'id',
        detail: 'Field id is invalid: it may hold letters, digits and . _ : @ + - and begins with a letter or digit.',
      },
    ],
    [
      'a collection nothing can be in',
      '/v1/documents',
      json({ text: 'a', collection: '-a' }),
      {
        field: 'collection',
        detail:
          'Field collection is invalid: it may hold letters, digits and . _ : @ + - and begins with a letter or digit.',
      },
    ],
  ])('says of %s what is wrong, once', async (_what, path, init, expected) => {
    expect(await told(path, init)).toEqual({ status: 422, code: 'REQUEST.INVALID', ...expected });
  });

  it.each<[string, RequestInit, string]>([
    ['/v1/search', plain, 'This route reads bodies of Content-Type application/json.'],
    ['/v1/documents', plain, 'This route reads bodies of Content-Type application/json and multipart/form-data.'],
    [
      '/v1/search',
      { body: new URLSearchParams({ query: 'x' }) },
      'This route reads bodies of Content-Type application/json.',
    ],
    ['/v1/search', text('query', 'x'), 'This route reads bodies of Content-Type application/json.'],
  ])('of a type that %s does not read names those it reads', async (path, init, sentence) => {
    expect(await told(path, init)).toEqual({
      status: 415,
      code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE',
      field: 'Content-Type',
      detail: sentence,
    });
  });

  const upload = rawForm(['name="file"; filename="a.txt"', 'a']);
  const encoded = (coding: string, init: RequestInit, bytes: RequestInit['body'] = init.body): RequestInit => ({
    ...init,
    body: bytes,
    headers: { ...(init.headers as Record<string, string>), 'content-encoding': coding },
  });

  it.each<[string, string, RequestInit]>([
    ['JSON in gzip', '/v1/search', encoded('gzip', json({}), gzipSync('{"query":"x"}'))],
    ['a document in gzip', '/v1/documents', encoded('GZIP', json({}), gzipSync('{"text":"x"}'))],
    ['a form in gzip', '/v1/documents', encoded('gzip', upload, gzipSync(String(upload.body)))],
    ['a coding nobody knows', '/query', encoded('identity, zstd', json({ query: 'x' }))],
  ])('of %s names the header, and what is taken', async (_what, path, init) => {
    const response = await fetch(`${edge.url}${path}`, { method: 'POST', ...init });
    expect(response.headers.get('accept-encoding')).toBe('identity');
    expect([response.status, await response.json()]).toEqual([
      415,
      expect.objectContaining({
        code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE',
        field: 'Content-Encoding',
        detail: 'Bodies are read as they are: send this one without Content-Encoding.',
      }),
    ]);
  });

  it('does not meet a body that says it is not encoded, nor a request without one', async () => {
    const { code } = await told('/v1/search', json({ query: 'x' }, { 'content-encoding': 'Identity' }));
    expect(code).toBe('DEPENDENCY.UNAVAILABLE');
    const bodiless = await fetch(`${edge.url}/v1/documents/a`, { headers: { 'content-encoding': 'gzip' } });
    expect(await bodiless.json()).toMatchObject({ code: 'DEPENDENCY.UNAVAILABLE' });
  });
});
