import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { startEdgeWithDocuments, type EdgeWithDocuments } from './edge-with-documents.js';
import { expectRefusal, type Refusal } from './refusal.js';

type Body = Record<string, unknown> & { id: string };

const LIMIT = 100_000;
const handbook = '# Handbook\n\nThe notice period is three months.\n';

let asked: string[] = [];
let endless: ServerResponse | undefined;

/** A web server of the world outside. What it answers is decided by the path. */
const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/handbook.md': (_request, response) => response.end(handbook),
  '/get': (_request, response) =>
    response
      .writeHead(200, {
        'content-type': 'text/markdown',
        'content-disposition': 'attachment; filename="Rules 2026.md"',
      })
      .end('# Rules\n\nBe kind.\n'),
  '/inflated': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('Inflated on the way.')),
  '/moved': (_request, response) => response.writeHead(301, { location: '/handbook.md' }).end(),
  '/inside': (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/meta' }).end(),
  '/large': (_request, response) => response.end(Buffer.alloc(LIMIT + 1, 'x')),
  '/bomb': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(LIMIT * 50))),
  '/cut': (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('half of it');
    setTimeout(() => response.destroy(), 20);
  },
  '/stalled': (_request, response) => void response.write('half of it'),
  '/endless': (_request, response) => {
    endless = response;
    response.write('half of it');
  },
  '/empty': (_request, response) => response.end(),
  '/broken': (_request, response) => response.writeHead(500).end('a stack trace'),
};
const world = createServer((request, response) => {
  asked.push(request.url!);
  const page = pages[request.url!.split('?')[0]!];
  if (page) page(request, response);
  else response.writeHead(404).end();
});

let edge: EdgeWithDocuments;
let origin: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => world.listen(0, '127.0.0.1', resolve));
  const { port } = world.address() as AddressInfo;
  origin = `http://127.0.0.1:${port}`;
  edge = await startEdgeWithDocuments({
    EGRESS_ALLOW: `127.0.0.1:${port}`,
    EGRESS_TIMEOUT_SECONDS: '5',
    EGRESS_CONCURRENCY: '5',
    REQUEST_TIMEOUT_SECONDS: '3',
    DOCUMENT_MAX_BYTES: String(LIMIT),
  });
});
afterAll(async () => {
  world.closeAllConnections();
  world.close();
  await edge?.close();
});
beforeEach(() => void (asked = []));

const send = (
  body: object,
  { path = '/v1/documents', method = 'POST', ...init }: RequestInit & { path?: string } = {},
) =>
  fetch(`${edge.url}${path}`, {
    method,
    body: JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...init.headers },
  });
const read = async (response: Response | Promise<Response>): Promise<Body> => (await (await response).json()) as Body;
const document = (id: string): Promise<Body> => read(fetch(`${edge.url}/v1/documents/${id}`));
const documents = async (collection: string): Promise<unknown[]> =>
  (await read(fetch(`${edge.url}/v1/documents?collection=${collection}`)))['data'] as unknown[];
const original = (id: string): Promise<Response> => fetch(`${edge.url}/v1/documents/${id}/content`);

describe('an upload by url', () => {
  it('is accepted once its content is stored, under its own name and with where it came from', async () => {
    const url = `${origin}/handbook.md?version=3`;
    const accepted = await send({ url, metadata: { team: 'people' } });
    expect(accepted.status).toBe(202);
    const { id } = await read(accepted);
    expect(await document(id)).toMatchObject({
      title: 'handbook.md',
      size_bytes: handbook.length,
      metadata: { team: 'people', source_url: url },
    });
    const content = await original(id);
    expect(await content.text()).toBe(handbook);
    expect(content.headers.get('content-disposition')).toContain('handbook.md');
  });

  it('takes its name from the server, and a title and a source from the request before that', async () => {
    const named = await read(send({ url: `${origin}/get?id=7`, collection: 'named' }));
    expect(await document(named.id)).toMatchObject({ title: 'Rules 2026.md' });
    const given = {
      url: `${origin}/get?token=secret`,
      title: 'Rules',
      id: 'rules',
      metadata: { source_url: 'intranet' },
    };
    expect((await send(given)).status).toBe(202);
    expect(await document('rules')).toMatchObject({ title: 'Rules', metadata: { source_url: 'intranet' } });
  });

  it('follows redirects, inflates, and knows content it has under any address', async () => {
    const first = await read(send({ url: `${origin}/handbook.md`, collection: 'same' }));
    expect(await read(send({ url: `${origin}/moved`, collection: 'same' }))).toMatchObject({
      id: first.id,
      deduplicated: true,
    });
    const { id } = await read(send({ url: `${origin}/inflated` }));
    expect(await (await original(id)).text()).toBe('Inflated on the way.');
  });

  it('makes a new version by PUT', async () => {
    const put = { path: '/v1/documents/living', method: 'PUT' };
    expect(await read(send({ text: 'Before.' }, put))).toMatchObject({ version: 1 });
    expect(await read(send({ url: `${origin}/handbook.md` }, put))).toMatchObject({ id: 'living', version: 2 });
  });

  it('is fetched once for many requests with one Idempotency-Key, and not at all for another address', async () => {
    const once = (path: string): Promise<Response> =>
      send({ url: `${origin}${path}`, collection: 'once' }, { headers: { 'idempotency-key': 'once' } });
    const bodies = await Promise.all(Array.from({ length: 5 }, () => read(once('/handbook.md'))));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(asked).toEqual(['/handbook.md']);
    expect(await read(once('/get'))).toMatchObject({ code: 'IDEMPOTENCY.KEY_REUSED' });
    expect(asked).toHaveLength(1);
  });

  it('leaves multipart as it was', async () => {
    const form = new FormData();
    form.append('file', new Blob(['Sent by hand.']), 'hand.txt');
    const { id } = await read(fetch(`${edge.url}/v1/documents`, { method: 'POST', body: form }));
    expect(await document(id)).toMatchObject({ title: 'hand.txt', metadata: {} });
  });
});

describe('an upload by a wrong url', () => {
  const refused = { status: 422, code: 'EGRESS.REFUSED', field: 'url' };
  const tooLarge = { status: 413, code: 'DOCUMENT.TOO_LARGE', field: 'url', limit: LIMIT };
  const refusals: [what: string, url: () => string, refusal: Refusal][] = [
    ['no address', () => 'no address', { status: 422, code: 'REQUEST.INVALID', field: 'url' }],
    [
      'an overlong address',
      () => `http://example.org/${'x'.repeat(2000)}`,
      { status: 422, code: 'REQUEST.INVALID', field: 'url', limit: 2000 },
    ],
    ['a file of the server', () => 'file:///etc/passwd', refused],
    ['credentials', () => 'http://user:pw@example.org/', refused],
    ['the loopback as a number', () => 'http://2130706433/', refused],
    ['the server itself', () => `${edge.url.replace('127.0.0.1', 'localhost')}/v1/documents`, refused],
    ['metadata of a cloud', () => 'http://[fd00:ec2::254]/latest/meta-data', refused],
    ['a redirect to such metadata', () => `${origin}/inside`, refused],
    ['a page that is not there', () => `${origin}/nothing`, { status: 422, code: 'EGRESS.REJECTED', field: 'url' }],
    ['too much content', () => `${origin}/large`, tooLarge],
    ['content that inflates to too much', () => `${origin}/bomb`, tooLarge],
    ['no content', () => `${origin}/empty`, { status: 422, code: 'DOCUMENT.EMPTY' }],
  ];
  it.each(refusals)('is refused: %s', async (_what, url, refusal) => {
    await expectRefusal(() => send({ url: url(), collection: 'wrong' }), refusal);
    expect(await documents('wrong')).toEqual([]);
  });

  it.each([
    ['/cut', 502, 'EGRESS.UNAVAILABLE'],
    ['/stalled', 504, 'EGRESS.TIMEOUT'],
    ['/broken', 502, 'EGRESS.UNAVAILABLE'],
  ])('%s ends with %i, may be tried again, and leaves nothing behind', async (path, status, code) => {
    const answer = await send({ url: `${origin}${path}`, collection: 'failed' });
    expect(answer.status).toBe(status);
    const problem = await read(answer);
    expect(problem).toMatchObject({ code, retryable: true, field: 'url' });
    expect(JSON.stringify(problem)).not.toMatch(/stack|127\.0\.0\.1|half of it/);
    expect(await documents('failed')).toEqual([]);
  });

  it('comes beside no text and no file of its own', async () => {
    expect(await read(send({ url: origin, text: 'a' }))).toMatchObject({ code: 'REQUEST.INVALID', field: 'url' });
  });

  it('is no longer fetched when its client leaves', async () => {
    const headers = { 'content-type': 'application/json' };
    const client = request(`${edge.url}/v1/documents`, { method: 'POST', headers, agent: false });
    client.on('error', () => undefined);
    client.end(JSON.stringify({ url: `${origin}/endless`, collection: 'left' }));
    await eventually('it is fetched', () => asked.includes('/endless'));
    client.destroy();
    await eventually('it is hung up on', () => endless?.destroyed);
    expect(await documents('left')).toEqual([]);
  });

  it('waits while others of its tenant are fetched, is refused at once when too many wait, and later when its turn does not come', async () => {
    const [fetched, waiting, beyond] = [4, 30, 1]; // three quarters of 5 and of 5 * 8
    const crowd = async () => {
      asked = [];
      const leave = new AbortController();
      const refusals: { status: number; wait: string | null; body: Body }[] = [];
      const noted = async (answer: Response): Promise<unknown> =>
        refusals.push({ status: answer.status, wait: answer.headers.get('retry-after'), body: await read(answer) });
      const slow = (): Promise<unknown> =>
        send({ url: `${origin}/endless` }, { signal: leave.signal })
          .then(noted)
          .catch(() => undefined);
      const all = Promise.all(Array.from({ length: fetched + waiting + beyond }, slow));
      await eventually('all but one are fetched or wait', () => asked.length >= fetched && refusals.length >= beyond);
      await noted(await send({ url: `${origin}/handbook.md` }));
      await eventually('all that waited are refused', () => refusals.length > waiting + beyond);
      leave.abort();
      await all;
      return refusals;
    };
    // A fetch has five seconds, a turn three: where the machine stands still between, one that waits may have its turn.
    const refusals = await withinAttempts(3, crowd, () => asked.length === fetched);
    for (const { status, wait, body } of refusals) {
      expect([status, wait]).toEqual([503, expect.stringMatching(/^[1-9]\d*$/)]);
      expect(body).toMatchObject({ code: 'OVERLOAD.SHED' });
    }
    expect(asked).toEqual(Array.from({ length: fetched }, () => '/endless'));
    expect((await send({ url: `${origin}/handbook.md`, collection: 'after' })).status).toBe(202);
  });
});
