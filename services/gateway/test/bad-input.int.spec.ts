import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';
import { formWithMetadata, nested, rawForm } from './raw-form.js';
import { expectRefusal, type Refusal } from './refusal.js';

let edge: EdgeAlone;
beforeAll(async () => void (edge = await startEdgeAlone()));
afterAll(() => edge.close());

const json = (path: string, body: unknown, init: RequestInit = {}): Promise<Response> =>
  fetch(`${edge.url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });

const form = (...parts: [name: string, value: string | Blob][]): RequestInit => {
  const data = new FormData();
  for (const [name, value] of parts) data.append(name, value as string);
  return { method: 'POST', body: data };
};

const tooMuch = { note: 'x'.repeat(65_536) };
const deep = (levels: number): string => `{"query":"x","filters":${nested(levels)}}`;

type Case = [what: string, send: () => Promise<Response>, refusal: Refusal];

const cases: Case[] = [
  [
    'top_k 0',
    () => json('/v1/search', { query: 'x', top_k: 0 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'top_k', limit: 1 },
  ],
  [
    'top_k 101',
    () => json('/v1/search', { query: 'x', top_k: 101 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'top_k', limit: 100 },
  ],
  [
    'top_k as text',
    () => json('/v1/search', { query: 'x', top_k: '5' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'top_k' },
  ],
  [
    'an empty question',
    () => json('/v1/query', { query: '' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'query', limit: 1 },
  ],
  [
    'a blank question',
    () => json('/v1/query', { query: ' \n\t' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'query' },
  ],
  ['no question', () => json('/v1/query', {}), { status: 422, code: 'REQUEST.INVALID', field: 'query' }],
  [
    'a long question',
    () => json('/v1/query', { query: 'x'.repeat(8001) }),
    { status: 422, code: 'REQUEST.INVALID', field: 'query', limit: 8000 },
  ],
  [
    'alpha above 1',
    () => json('/v1/search', { query: 'x', alpha: 1.5 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'alpha', limit: 1 },
  ],
  [
    'an unknown mode',
    () => json('/v1/search', { query: 'x', mode: 'fuzzy' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'mode' },
  ],
  [
    'an unknown way to fuse as a default',
    () => json('/v1/collections/a', { defaults: { fusion: 'rff' } }, { method: 'PATCH' }),
    { status: 422, code: 'REQUEST.INVALID', field: 'defaults.fusion' },
  ],
  [
    'filters that are a list',
    () => json('/v1/search', { query: 'x', filters: [1] }),
    { status: 422, code: 'REQUEST.INVALID', field: 'filters' },
  ],
  [
    'an unknown field',
    () => json('/v1/search', { query: 'x', topk: 5 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'topk' },
  ],
  [
    'a 10 MB body',
    () => json('/v1/query', { query: 'x'.repeat(10_000_000) }),
    { status: 413, code: 'REQUEST.TOO_LARGE', field: 'body', limit: 1_048_576 },
  ],
  [
    'JSON nested too deeply',
    () => json('/v1/search', deep(40)),
    { status: 422, code: 'REQUEST.TOO_DEEP', field: 'body', limit: 32 },
  ],
  [
    'JSON nested absurdly',
    () => json('/v1/search', '['.repeat(1_000_000)),
    { status: 422, code: 'REQUEST.TOO_DEEP', limit: 32 },
  ],
  [
    'an escaped NUL',
    () => json('/v1/search', '{"query":"a\\u0000b"}'),
    { status: 422, code: 'REQUEST.INVALID', field: 'query' },
  ],
  [
    'a bare NUL',
    () => json('/v1/search', '{"query":"a\0b"}'),
    { status: 422, code: 'REQUEST.INVALID', field: 'query' },
  ],
  [
    'a NUL in a filter',
    () => json('/v1/search', { query: 'x', filters: { tags: ['a', 'b\0'] } }),
    { status: 422, code: 'REQUEST.INVALID', field: 'filters.tags[1]' },
  ],
  [
    'a lone surrogate',
    () => json('/v1/query', '{"query":"a\\ud800b"}'),
    { status: 422, code: 'REQUEST.INVALID', field: 'query' },
  ],
  ['malformed JSON', () => json('/v1/search', '{"query":'), { status: 400, code: 'REQUEST.MALFORMED' }],
  [
    'bytes that are no UTF-8',
    () => json('/v1/search', '', { body: Buffer.from('7b227175657279223a22ff227d', 'hex') }),
    { status: 400, code: 'REQUEST.MALFORMED' },
  ],
  ['no body', () => json('/v1/search', ''), { status: 422, code: 'REQUEST.INVALID', field: 'body' }],
  [
    'plain text',
    () => json('/v1/search', 'hello', { headers: { 'content-type': 'text/plain' } }),
    { status: 415, code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE', field: 'Content-Type' },
  ],
  [
    'a form-encoded body',
    () => json('/v1/search', 'query=x', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
    { status: 415, code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE', field: 'Content-Type' },
  ],
  [
    'multipart where JSON is read',
    () => fetch(`${edge.url}/v1/search`, form(['query', 'x'])),
    { status: 415, code: 'REQUEST.UNSUPPORTED_MEDIA_TYPE', field: 'Content-Type' },
  ],
  ['an unknown route', () => fetch(`${edge.url}/v1/nothing`), { status: 404, code: 'REQUEST.NOT_FOUND' }],
  [
    'a wrong method',
    () => fetch(`${edge.url}/v1/documents/a/chunks`, { method: 'DELETE' }),
    { status: 405, code: 'REQUEST.METHOD_NOT_ALLOWED' },
  ],
  ['a slash too many', () => fetch(`${edge.url}/v1/documents/`), { status: 404, code: 'REQUEST.NOT_FOUND' }],
  ['a broken URL', () => fetch(`${edge.url}/v1/documents/%ZZ`), { status: 400, code: 'REQUEST.MALFORMED' }],
  [
    'a NUL in an id',
    () => fetch(`${edge.url}/v1/documents/a%00b`),
    { status: 422, code: 'REQUEST.INVALID', field: 'id' },
  ],
  [
    'a NUL in a query',
    () => fetch(`${edge.url}/v1/documents?cursor=a%00b`),
    { status: 422, code: 'REQUEST.INVALID', field: 'cursor' },
  ],
  [
    'headers too long',
    () => fetch(`${edge.url}/v1/documents`, { headers: { 'x-long': 'a'.repeat(20_000) } }),
    { status: 431, code: 'REQUEST.HEADERS_TOO_LARGE', field: 'headers', limit: 16_384 },
  ],
  [
    'a body of any kind where no route is',
    () => json('/v1/nothing', '{', { headers: { 'content-type': 'text/plain' } }),
    { status: 404, code: 'REQUEST.NOT_FOUND' },
  ],
  [
    'an id too long',
    () => fetch(`${edge.url}/v1/documents/${'a'.repeat(201)}`),
    { status: 422, code: 'REQUEST.INVALID', field: 'id', limit: 200 },
  ],
  [
    'a page too long',
    () => fetch(`${edge.url}/v1/documents?limit=201`),
    { status: 422, code: 'REQUEST.INVALID', field: 'limit', limit: 200 },
  ],
  [
    'an unknown status',
    () => fetch(`${edge.url}/v1/documents?status=lost`),
    { status: 422, code: 'REQUEST.INVALID', field: 'status' },
  ],
  [
    'a status that nothing listed has',
    () => fetch(`${edge.url}/v1/documents?status=deleted`),
    { status: 422, code: 'REQUEST.INVALID', field: 'status' },
  ],
  [
    'an unknown parameter',
    () => fetch(`${edge.url}/v1/documents?page=2`),
    { status: 422, code: 'REQUEST.INVALID', field: 'page' },
  ],
  [
    'a wait too long',
    () => fetch(`${edge.url}/v1/documents/a?wait=61`),
    { status: 422, code: 'REQUEST.INVALID', field: 'wait', limit: 60 },
  ],
  ['neither text nor chunks', () => json('/v1/documents', {}), { status: 422, code: 'REQUEST.INVALID', field: 'text' }],
  [
    'text and chunks',
    () => json('/v1/documents', { text: 'a', chunks: [{ text: 'b' }] }),
    { status: 422, code: 'REQUEST.INVALID', field: 'chunks' },
  ],
  [
    'a url into the server itself',
    () => json('/v1/documents', { url: 'http://127.0.0.1/a.pdf' }),
    { status: 422, code: 'EGRESS.REFUSED', field: 'url' },
  ],
  [
    'an overlap of half a chunk',
    () => json('/v1/documents', { text: 'a', chunk_size: 100, chunk_overlap: 50 }),
    { status: 422, code: 'REQUEST.INVALID', field: 'chunk_overlap' },
  ],
  [
    'a chunk without text',
    () => json('/v1/documents', { chunks: [{ text: 'a' }, {}] }),
    { status: 422, code: 'REQUEST.INVALID', field: 'chunks[1].text' },
  ],
  ...(
    [
      ['POST /v1/documents', 'metadata', { text: 'a', metadata: tooMuch }],
      ['POST /v1/documents', 'chunks[0].metadata', { chunks: [{ text: 'a', metadata: tooMuch }] }],
      ['POST /index', 'documents[0].metadata', { documents: [{ text: 'a', metadata: tooMuch }] }],
      ['POST /v1/collections', 'metadata', { metadata: tooMuch }],
      ['PATCH /v1/collections/default', 'metadata', { metadata: tooMuch }],
    ] as const
  ).map(([route, field, body]): Case => {
    const [method, path] = route.split(' ') as [string, string];
    const refusal = { status: 422, code: 'REQUEST.INVALID', field, limit: 65_536 };
    return [`${field} over the limit in ${route}`, () => json(path, body, { method }), refusal];
  }),
  [
    'JSON text over the limit',
    () => json('/v1/documents', { text: 'x'.repeat(17 * 1024 * 1024) }),
    { status: 413, code: 'REQUEST.TOO_LARGE', field: 'body', limit: 16_777_216 },
  ],
  [
    'a form without a file',
    () => fetch(`${edge.url}/v1/documents`, form(['title', 'a'])),
    { status: 422, code: 'REQUEST.INVALID', field: 'file' },
  ],
  [
    'a form with an unknown field',
    () => fetch(`${edge.url}/v1/documents`, form(['colour', 'a'], ['file', new Blob(['x'])])),
    { status: 422, code: 'REQUEST.INVALID', field: 'colour' },
  ],
  [
    'form metadata that is no JSON',
    () => fetch(`${edge.url}/v1/documents`, form(['metadata', '{'], ['file', new Blob(['x'])])),
    { status: 422, code: 'REQUEST.INVALID', field: 'metadata' },
  ],
  [
    'a form whose chunk_size is no number',
    () => fetch(`${edge.url}/v1/documents`, form(['chunk_size', 'ten'], ['file', new Blob(['x'])])),
    { status: 422, code: 'REQUEST.INVALID', field: 'chunk_size' },
  ],
  [
    'a NUL in a form field',
    () => fetch(`${edge.url}/v1/documents`, form(['title', 'a\0b'], ['file', new Blob(['x'])])),
    { status: 422, code: 'REQUEST.INVALID', field: 'title' },
  ],
  ...[40, 48, 200, 5_000].flatMap((levels) =>
    ['text/plain', 'application/json'].map((type): Case => [
      `form metadata of ${levels} levels as ${type}`,
      () => fetch(`${edge.url}/v1/documents`, formWithMetadata(nested(levels), type)),
      { status: 422, code: 'REQUEST.TOO_DEEP', field: 'metadata', limit: 31 },
    ]),
  ),
  [
    'a NUL in the name of a file',
    () => fetch(`${edge.url}/v1/documents`, rawForm([`name="file"; filename*=UTF-8''a%00b.txt`, 'x'])),
    { status: 422, code: 'REQUEST.INVALID', field: 'file' },
  ],
  [
    'a form without boundary',
    () => json('/v1/documents', 'x', { headers: { 'content-type': 'multipart/form-data' } }),
    { status: 400, code: 'REQUEST.MALFORMED' },
  ],
  [
    'an overlong Idempotency-Key',
    () => json('/v1/documents', { text: 'a' }, { headers: { 'idempotency-key': 'k'.repeat(256) } }),
    { status: 422, code: 'REQUEST.INVALID', field: 'idempotency-key', limit: 255 },
  ],
  [
    'a cursor of nowhere',
    () => fetch(`${edge.url}/v1/admin/dead-letters?cursor=nobody:1`),
    { status: 422, code: 'REQUEST.INVALID', field: 'cursor' },
  ],
];

describe('bad input', () => {
  it.each(cases)('%s is refused with code, field and limit, at once', (_what, send, expected) =>
    expectRefusal(send, expected),
  );
});
