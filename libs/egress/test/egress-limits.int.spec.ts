import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@ragmesh/testing';
import { MAX_BYTES, clientWith, failureOf, get, textOf } from './egress-fixture.js';
import { startOrigin, startRawOrigin, type Origin } from './origin.js';

let origin: Origin;
afterEach(() => origin.close());

type Limits = Readonly<Record<string, string>>;

/** Short where time is what a test is about: a busy machine takes a while to answer, too. */
const ONE_SECOND: Limits = { EGRESS_TIMEOUT_SECONDS: '1' };

async function served(answer: RequestListener, limits: Limits = {}): Promise<ReturnType<typeof clientWith>> {
  origin = await startOrigin(answer);
  return clientWith({ ...limits, EGRESS_ALLOW: `127.0.0.1:${origin.port}` });
}
async function servedRaw(answer: (socket: Socket) => void): Promise<ReturnType<typeof clientWith>> {
  origin = await startRawOrigin(answer);
  return clientWith({ EGRESS_ALLOW: `127.0.0.1:${origin.port}` });
}

/** A server whose client gave up is not held open. */
const closed = () => eventually('the connection is closed', () => origin.connections() === 0);

describe('content', () => {
  it('is fetched bare: no cookie, no credentials, nothing of the trace, one connection of its own', async () => {
    const client = await served((_request, response) => {
      response.writeHead(200, { 'set-cookie': 'a=b', 'content-type': 'text/markdown', 'content-disposition': 'x' });
      response.end('# Hello');
    });
    await textOf(await get(client, `${origin.url}/a?b=c#d`));
    const fetched = await get(client, `${origin.url}/a?b=c#d`);
    expect(fetched).toMatchObject({ contentType: 'text/markdown', contentDisposition: 'x' });
    expect(await textOf(fetched)).toBe('# Hello');
    for (const { url, method, headers } of origin.requests) {
      expect([method, url]).toEqual(['GET', '/a?b=c']);
      expect(Object.keys(headers).toSorted()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'user-agent',
      ]);
      expect(headers).toMatchObject({ 'user-agent': 'ragmesh', connection: 'close' });
    }
    await closed();
  });

  it.each([
    ['gzip', gzipSync('Hello')],
    ['X-GZIP', gzipSync('Hello')],
    ['deflate', deflateSync('Hello')],
    ['br', brotliCompressSync('Hello')],
    ['identity', Buffer.from('Hello')],
  ])('is inflated when it comes as %s', async (encoding, bytes) => {
    const client = await served((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bytes),
    );
    expect(await textOf(await get(client, origin.url))).toBe('Hello');
  });

  it('may be as large as the limit, and not a byte larger', async () => {
    let size = MAX_BYTES;
    const client = await served((_request, response) => {
      response.write(Buffer.alloc(size));
      response.end();
    });
    expect(await textOf(await get(client, origin.url))).toHaveLength(MAX_BYTES);
    size += 1;
    expect(await failureOf(get(client, origin.url))).toMatchObject({
      code: 'EGRESS.TOO_LARGE',
      details: { limit: MAX_BYTES },
    });
  });
});

describe('a hostile server', () => {
  const tooLarge = { code: 'EGRESS.TOO_LARGE', details: { limit: MAX_BYTES } };

  it('that announces too much is left before its first byte', async () => {
    const client = await served((_request, response) => {
      response.writeHead(200, { 'content-length': MAX_BYTES + 1 });
      response.flushHeaders();
    });
    expect(await failureOf(get(client, origin.url))).toMatchObject(tooLarge);
    await closed();
  });

  it('that sends without end is left at the limit', async () => {
    const client = await served((_request, response) => {
      const send = (): void => void response.write(Buffer.alloc(8192), () => setImmediate(send));
      response.on('error', () => undefined);
      send();
    });
    expect(await failureOf(get(client, origin.url))).toMatchObject(tooLarge);
    await closed();
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(512 * MAX_BYTES))],
    ['br', brotliCompressSync(Buffer.alloc(512 * MAX_BYTES), {})],
  ])('that sends a %s bomb is left at the limit of inflated bytes', async (encoding, bomb) => {
    expect(bomb.length).toBeLessThan(MAX_BYTES);
    const client = await served((_request, response) =>
      response.writeHead(200, { 'content-encoding': encoding }).end(bomb),
    );
    expect(await failureOf(get(client, origin.url))).toMatchObject(tooLarge);
  });

  it('whose bytes inflate to nothing, without end, is left at the limit of received bytes', async () => {
    const nothing = Buffer.concat(Array<Buffer>(400).fill(gzipSync('')));
    const client = await served((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const send = (): void => void response.write(nothing, () => setImmediate(send));
      response.on('error', () => undefined);
      send();
    });
    expect(await failureOf(get(client, origin.url))).toMatchObject(tooLarge);
  });

  it('that takes the request and says nothing is left in time', async () => {
    const client = await served(() => undefined, { EGRESS_FIRST_BYTE_SECONDS: '0.3' });
    const failure = await failureOf(get(client, origin.url));
    expect(failure).toMatchObject({ code: 'EGRESS.TIMEOUT', details: { limit: 0.3 }, retry: 'transient' });
    await closed();
  });

  it('that trickles is left in time', async () => {
    const client = await served((_request, response) => {
      const trickle = setInterval(() => response.write('x'), 20);
      response.once('close', () => clearInterval(trickle));
    }, ONE_SECOND);
    const failure = await failureOf(get(client, origin.url));
    expect(failure).toMatchObject({ code: 'EGRESS.TIMEOUT', details: { limit: 1 } });
    await closed();
  });

  it('that redirects slowly gets no more time by it', async () => {
    const client = await served(
      (_request, response) => void setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 250),
      ONE_SECOND,
    );
    expect(await failureOf(get(client, origin.url))).toMatchObject({ code: 'EGRESS.TIMEOUT', details: { limit: 1 } });
  });

  const broken: [what: string, answer: string | Buffer, code: string][] = [
    ['cuts its content off', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf', 'EGRESS.UNAVAILABLE'],
    ['cuts a chunk off', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf', 'EGRESS.UNAVAILABLE'],
    ['cuts gzip off', gzipped(gzipSync('Hello, world').subarray(0, 20)), 'EGRESS.UNAVAILABLE'],
    ['hangs up', '', 'EGRESS.UNAVAILABLE'],
    ['damages gzip', gzipped(Buffer.from('no gzip at all')), 'EGRESS.REJECTED'],
    ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'EGRESS.REJECTED'],
    ['sends two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 'EGRESS.REJECTED'],
    [
      'sends length and chunks',
      'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'EGRESS.REJECTED',
    ],
    ['sends endless headers', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 'EGRESS.REJECTED'],
    [
      'sends an encoding nobody asked for',
      'HTTP/1.1 200 OK\r\ncontent-encoding: gzip, gzip\r\n\r\nx',
      'EGRESS.REJECTED',
    ],
    [
      'changes the protocol',
      'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'EGRESS.UNAVAILABLE',
    ],
  ];
  it.each(broken)('that %s is told of in a sentence', async (_what, answer, code) => {
    const client = await servedRaw((socket) => socket.end(answer));
    const failure = await failureOf(get(client, origin.url));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(/^The server of the URL [^:]+\.$/);
  });
});

function gzipped(body: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
  ]);
}

describe('an answer without content', () => {
  it.each([
    [404, 'EGRESS.REJECTED', 'The server of the URL answered 404 Not Found instead of content.'],
    [401, 'EGRESS.REJECTED', 'The server of the URL answered 401 Unauthorized instead of content.'],
    [403, 'EGRESS.REJECTED', 'The server of the URL answered 403 Forbidden instead of content.'],
    [204, 'EGRESS.REJECTED', 'The server of the URL answered 204 No Content instead of content.'],
    [206, 'EGRESS.REJECTED', 'The server of the URL answered 206 Partial Content instead of content.'],
    [302, 'EGRESS.REJECTED', 'The server of the URL answered 302 Found instead of content.'],
    [299, 'EGRESS.REJECTED', 'The server of the URL answered 299 instead of content.'],
    [429, 'EGRESS.UNAVAILABLE', 'The server of the URL answered 429 Too Many Requests instead of content.'],
    [500, 'EGRESS.UNAVAILABLE', 'The server of the URL answered 500 Internal Server Error instead of content.'],
  ])('%i is a sentence, and says whether to come again', async (status, code, message) => {
    const client = await served((_request, response) => response.writeHead(status, 'secret').end('secret'));
    const failure = await failureOf(get(client, origin.url));
    expect(failure).toMatchObject({ code, message, retry: code === 'EGRESS.REJECTED' ? 'permanent' : 'transient' });
    await closed();
  });

  it('is given by a server that is not there', async () => {
    const client = await served(() => undefined);
    await origin.close();
    expect(await failureOf(get(client, origin.url))).toMatchObject({
      code: 'EGRESS.UNAVAILABLE',
      message: 'The server of the URL cannot be reached.',
    });
  });
});

describe('a caller that leaves', () => {
  it.each(['before the answer', 'within the content'])('ends the connection: %s', async (when) => {
    const reached = Promise.withResolvers<void>();
    const client = await served((_request, response) => {
      if (when === 'within the content') response.write('half', () => reached.resolve());
      else reached.resolve();
    });
    const caller = new AbortController();
    const failure = failureOf(get(client, origin.url, caller.signal));
    await reached.promise;
    caller.abort();
    expect(await failure).toMatchObject({ code: 'REQUEST.CANCELLED' });
    await closed();
  });

  it('before it began is not fetched for', async () => {
    const client = await served((_request, response) => response.end());
    expect(await failureOf(get(client, origin.url, AbortSignal.abort()))).toMatchObject({ code: 'REQUEST.CANCELLED' });
    expect(origin.requests).toHaveLength(0);
  });
});
