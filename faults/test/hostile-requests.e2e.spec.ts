import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startGuardedMesh, type Caller, type GuardedMesh, type Json } from '../../services/gateway/test/two-tenants.js';
import { hostileWords, unstorable } from './hostile-words.js';

let mesh: GuardedMesh;
let keys: { readonly acme: string; readonly bolt: string };
let acme: Caller;
let bolt: Caller;
beforeAll(async () => {
  mesh = await startGuardedMesh();
  const keyOf = async (tenant: string): Promise<string> =>
    (await mesh.makeKey({ name: tenant, tenant, roles: ['reader', 'writer', 'admin'] })).key;
  keys = { acme: await keyOf('acme'), bolt: await keyOf('bolt') };
  [acme, bolt] = [mesh.as(keys.acme), mesh.as(keys.bolt)];
  await acme({ method: 'POST', path: '/v1/documents', body: { id: 'secret', text: 'The vault opens at nine.' } });
  await acme({ method: 'GET', path: '/v1/documents/secret?wait=60' });
});
afterAll(() => mesh?.close());

const upload = (key: string, name: string, content: string, fields: Readonly<Record<string, string>> = {}) => {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  form.append('file', new Blob([content]), name);
  return fetch(`${mesh.url}/v1/documents`, { method: 'POST', body: form, headers: { authorization: `Bearer ${key}` } });
};

describe('a caller who says to be of another tenant', () => {
  it.each([
    { 'x-tenant': 'acme' },
    { 'x-tenant-id': 'acme', tenant: 'acme' },
    { 'x-ragmesh-tenant': 'acme', 'x-ragmesh-subject': 'key:first', 'x-ragmesh-signature': 'AAAA' },
    { 'grpc-metadata-x-ragmesh-tenant': 'acme', 'grpc-metadata-tenant': 'acme' },
    { ce_tenant: 'acme', 'ce-tenant': 'acme' },
    { baggage: 'tenant=acme', tracestate: 'tenant=acme' },
    { 'x-forwarded-user': 'acme', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1;host=acme', host: 'acme' },
    { cookie: 'tenant=acme', 'x-original-url': '/v1/documents/secret', 'x-http-method-override': 'DELETE' },
  ])('by %j sees what is his', async (headers) => {
    const path = '/v1/documents/secret';
    const { status, json } = await bolt({ method: 'GET', path }, headers as never);
    const missing = await bolt({ method: 'GET', path: '/v1/documents/absent' });
    expect({ status, code: json['code'] }).toEqual({ status: 404, code: missing.json['code'] });
    expect((await acme({ method: 'GET', path })).json).toMatchObject({ status: 'ready' });
  });

  it.each<[string, string, Json | undefined]>([
    ['POST', '/v1/documents', { text: 'mine', tenant: 'acme' }],
    ['POST', '/v1/search', { query: 'vault', tenant: 'acme' }],
    ['POST', '/v1/search', { query: 'vault', filters: { tenant: 'acme', $or: [{ tenant: 'acme' }] } }],
    ['POST', '/v1/query', { query: 'vault', tenant: 'acme' }],
    ['GET', '/v1/documents?tenant=acme', undefined],
    ['GET', '/v1/admin/keys?tenant=acme', undefined],
  ])('by a field of %s %s is refused, or finds nothing', async (method, path, body) => {
    const { status, text } = await bolt({ method, path, body });
    expect([200, 403, 422]).toContain(status);
    expect(text).not.toContain('opens at nine');
    expect(text).not.toContain('"secret"');
  });
});

/** The attacks that a check does not hold for, with its words; all at once, since each waits for an ingestion. */
async function failures(check: (word: string) => Promise<void>): Promise<string[]> {
  const outcomes = await Promise.allSettled(hostileWords.map(([, word]) => check(word)));
  return outcomes.flatMap((one, index) =>
    one.status === 'rejected' ? [`${hostileWords[index]![0]}: ${String(one.reason)}`] : [],
  );
}

describe('words that look like something else', () => {
  it('are words in titles, metadata, filters and questions', async () => {
    const check = async (word: string): Promise<void> => {
      const document = { title: word, text: `About ${word} in general.`, metadata: { word, [`k ${word}`]: [word] } };
      const made = await acme({ method: 'POST', path: '/v1/documents', body: document });
      expect(made.status).toBe(202);
      const id = String(made.json['id']);
      const { json } = await acme({ method: 'GET', path: `/v1/documents/${id}?wait=60` });
      expect(json).toMatchObject({ title: word, status: 'ready', metadata: document.metadata });
      const search = { query: word, filters: { word } };
      const found = await acme({ method: 'POST', path: '/v1/search', body: search });
      expect((found.json['results'] as Json[]).map(({ document_id: one }) => one)).toEqual([id]);
      expect((await bolt({ method: 'POST', path: '/v1/search', body: search })).json).toMatchObject({ results: [] });
    };
    expect(await failures(check)).toEqual([]);
  });

  it('are ids or are refused as ids, wherever one is taken', async () => {
    const check = async (word: string): Promise<void> => {
      const body = { id: word, text: 'A document.' };
      const made = await acme({ method: 'POST', path: '/v1/documents', body });
      const refused = { status: 422, code: 'REQUEST.INVALID', field: 'id' };
      expect(made.json).toMatchObject(made.status === 202 ? { id: word } : refused);
      const escaped = encodeURIComponent(word);
      const known = await acme({ method: 'GET', path: `/v1/documents/${escaped}` });
      expect(known.json).toMatchObject(made.status === 202 ? { id: word } : refused);
      for (const call of [
        { method: 'GET', path: `/v1/documents?collection=${escaped}&cursor=${escaped}` },
        { method: 'GET', path: `/v1/operations/${escaped}` },
        { method: 'GET', path: `/v1/conversations/${escaped}` },
        { method: 'POST', path: '/v1/collections', body: { id: word } },
        { method: 'POST', path: '/v1/search', body: { query: word, filters: { [word]: word } } },
        { method: 'POST', path: '/v1/feedback', body: { request_id: word, rating: 'up', comment: word } },
      ])
        expect((await acme(call)).status).toBeLessThan(500);
    };
    expect(await failures(check)).toEqual([]);
  });

  it('are the name of a file and of nothing else', async () => {
    const check = async (word: string): Promise<void> => {
      const made = (await (await upload(keys.acme, word, `Contents of ${word}`)).json()) as Json;
      const path = `/v1/documents/${String(made['id'])}/content`;
      const answer = await fetch(mesh.url + path, { headers: { authorization: `Bearer ${keys.acme}` } });
      expect(await answer.text()).toBe(`Contents of ${word}`);
      const disposition = answer.headers.get('content-disposition')!;
      expect(disposition).toMatch(/^attachment; filename="[\x20-\x7e]*"; filename\*=UTF-8''[\w%.!~-]*$/);
      expect(disposition).not.toMatch(/[/\\]|\.\.(\/|%2F)/);
    };
    expect(await failures(check)).toEqual([]);
  });

  it.each(unstorable)('are refused when they are %s', async (_what, json) => {
    for (const [path, body] of [
      ['/v1/documents', `{"id":${json},"text":"x"}`],
      ['/v1/collections', `{"id":${json}}`],
    ] as const) {
      const headers = { authorization: `Bearer ${keys.acme}`, 'content-type': 'application/json' };
      const answer = await fetch(mesh.url + path, { method: 'POST', headers, body });
      expect(answer.status).toBe(422);
      expect(await answer.json()).toMatchObject({ code: 'REQUEST.INVALID', field: expect.stringContaining('id') });
    }
  });

  it.each(['cursor=a%00b', 'collection=%00', 'status=%00', 'limit=1%00'])(
    'are refused in a query: %s',
    async (query) => {
      const { status, json } = await acme({ method: 'GET', path: `/v1/documents?${query}` });
      expect({ status, code: json['code'] }).toEqual({ status: 422, code: 'REQUEST.INVALID' });
    },
  );

  it('are words even where one character takes a megabyte: its document ends, and nobody else waits for it', async () => {
    const text = `One is long: z${'\u0335\u0322'.repeat(250_000)}. The other is short.`;
    const body = { id: 'long-letter', text, chunk_size: 2048 };
    expect((await acme({ method: 'POST', path: '/v1/documents', body })).status).toBe(202);
    let isOver = false;
    const ended = acme({ method: 'GET', path: '/v1/documents/long-letter?wait=50' }).finally(() => (isOver = true));
    let slowest = 0;
    while (!isOver) {
      const asked = performance.now();
      expect((await acme({ method: 'GET', path: '/v1/documents/secret' })).status).toBe(200);
      slowest = Math.max(slowest, performance.now() - asked);
    }
    const { json } = await ended;
    expect(json).toMatchObject({ status: 'ready', chunks: expect.any(Number) });
    expect(json['chunks']).toBeGreaterThan(100); // cut inside the character, as no coarser place is fine enough
    expect(slowest).toBeLessThan(5_000);
  });

  it('left every other document alone, no file outside, no prototype changed and no line of the log forged', async () => {
    expect((await acme({ method: 'GET', path: '/v1/documents/secret' })).json).toMatchObject({
      status: 'ready',
      version: 1,
    });
    expect(existsSync('/tmp/ragmesh-pwned')).toBe(false);
    const dataDir = dirname(mesh.logFile);
    const blobs = (await readdir(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    for (const { name } of blobs) expect(name).toMatch(/^(?:\d+@[\w.%-]+~)?[0-9a-f-]+$/);
    expect(({} as Json)['polluted']).toBeUndefined();
    const log = await readFile(mesh.logFile, 'utf8');
    for (const line of log.trimEnd().split('\n')) expect(JSON.parse(line)).toEqual(expect.any(Object));
    expect(log).not.toContain('alert(1)');
  });
});

describe('JSON that reaches for prototypes', () => {
  it.each([
    '{"text":"x","metadata":{"__proto__":{"polluted":1}}}',
    '{"text":"x","__proto__":{"id":"polluted"}}',
    '{"text":"x","metadata":{"a":{"\\u005f_proto__":{"polluted":1}}}}',
    '{"text":"x","constructor":{"prototype":{"polluted":1}}}',
  ])('is refused: %s', async (body) => {
    const headers = { authorization: `Bearer ${keys.acme}`, 'content-type': 'application/json' };
    const answer = await fetch(`${mesh.url}/v1/documents`, { method: 'POST', headers, body });
    expect(answer.status).toBe(422);
    expect(({} as Json)['polluted']).toBeUndefined();
  });
});

/** Sends bytes as they are, and gives all that comes back until the server hangs up. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(mesh.url);
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.end(request));
    socket.on('data', (piece) => (answer += piece.toString('latin1'))).on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('a request that is not quite HTTP', () => {
  const ending = 'Host: localhost\r\nConnection: close\r\n\r\n';
  it.each([
    ['two lengths', `POST /v1/search HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n${ending}x`, 400],
    [
      'a length and pieces',
      `POST /v1/search HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n${ending}0\r\n\r\n`,
      400,
    ],
    ['a header without a name', `GET /healthz HTTP/1.1\r\n: a\r\n${ending}`, 400],
    ['a bare line feed', `GET /healthz HTTP/1.1\nX: a\rb\n${ending}`, 400],
    ['headers of 20 kB', `GET /healthz HTTP/1.1\r\nX: ${'a'.repeat(20_000)}\r\n${ending}`, 431],
    ['a URL of 20 kB', `GET /v1/documents/${'a'.repeat(20_000)} HTTP/1.1\r\n${ending}`, 431],
    ['no method', `FROBNICATE / HTTP/1.1\r\n${ending}`, 400],
  ])('is refused as a problem: %s', async (_what, request, status) => {
    const answer = await raw(request);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ status, retryable: false });
  });

  it('has no header of its own making in the answer', async () => {
    const answer = await raw(
      `GET /healthz?a=%0d%0aset-cookie:x HTTP/1.1\r\nX-Request-Id: a b\r\n set-cookie: x\r\n${ending}`,
    );
    expect(answer.toLowerCase()).not.toContain('set-cookie');
  });
});

describe('what a browser makes of an answer', () => {
  const page = '<html><script>alert(document.domain)</script><img src=http://attacker.example/?leak></html>';

  it('is nothing: uploads are downloads of no origin, and every answer says so', async () => {
    const { id } = (await (await upload(keys.acme, 'page.html', page)).json()) as { id: string };
    const paths = [
      `/v1/documents/${id}/content`,
      `/v1/documents/${id}/content?as=text`,
      '/v1/documents/<script>',
      '/nothing',
    ];
    for (const path of [...paths, '/healthz', '/openapi.json']) {
      const headers = { authorization: `Bearer ${keys.acme}`, origin: 'http://attacker.example' };
      const answer = await fetch(mesh.url + path, { headers });
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      expect(answer.headers.get('content-security-policy')).toMatch(/default-src 'none';.*sandbox/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
      const type = answer.headers.get('content-type')!;
      const isPage =
        type.startsWith('text/html') && !answer.headers.get('content-disposition')?.startsWith('attachment');
      expect(isPage).toBe(false);
      await answer.body?.cancel();
    }
  });

  it('is not asked for by another origin', async () => {
    const headers = { origin: 'http://attacker.example', 'access-control-request-method': 'POST' };
    const answer = await fetch(`${mesh.url}/v1/query`, { method: 'OPTIONS', headers });
    expect(answer.status).toBe(405);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('guesses of keys', () => {
  it('are refused and then not looked at, wherever they claim to come from, while a key that is known still holds', async () => {
    await acme({ method: 'GET', path: '/v1/documents' });
    const statuses: number[] = [];
    for (let guess = 0; guess < 200; guess += 1) {
      const secret = String(guess).padStart(43, 'A');
      const authorization = `Bearer rgm_${keys.acme.split('_')[1]}_${secret}`;
      const headers = { authorization, 'x-forwarded-for': `10.0.0.${guess}`, 'x-real-ip': `10.0.0.${guess}` };
      statuses.push((await fetch(`${mesh.url}/v1/documents`, { headers })).status);
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(20);
    expect(statuses.at(-1)).toBe(429);
  });
});
