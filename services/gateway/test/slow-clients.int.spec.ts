import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import multipart from '@fastify/multipart';
import { fastify } from 'fastify';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { hangUpOnSlowClients } from '../src/http/slow-clients.js';
import { startBareEdge } from './bare-edge.js';
import { startEdgeAlone, type EdgeAlone } from './edge-alone.js';

const PLACES = 20;
const BODY_MS = 3_000;

let edge: EdgeAlone;
let sockets: Socket[] = [];
beforeAll(async () => {
  const limits = { REQUEST_TIMEOUT_SECONDS: String(BODY_MS / 1_000), STREAM_TIMEOUT_SECONDS: '2' };
  edge = await startEdgeAlone({ MAX_CONCURRENT_REQUESTS: String(PLACES), ...limits });
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
});
afterAll(() => edge.close());

/** Says something to the server and reads nothing by itself. */
function say(text: string, url = edge.url): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => void socket.write(text)).on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** Whether so many requests come to be under way before the first of them is hung up on. */
const areHeld = (count: number): Promise<boolean> =>
  eventually('they are held', async () => (await activeRequests()) === count, BODY_MS).catch(() => false);

async function activeRequests(): Promise<number> {
  const text = await (await fetch(`${edge.url}/metrics`)).text();
  return Number(/^rag_active_requests(?:\{.*\})? (\d+)$/m.exec(text)?.[1]);
}

describe('a client that keeps a place', () => {
  const head =
    'POST /v1/search HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{';
  const large = head.replace('search', 'embeddings').replace('length: 100', `length: ${16 * 1024 * 1024}`);
  const posted = { method: 'POST', headers: { 'content-type': 'application/json' } };

  it('by sending half a request is told so and hung up on, and others are let in', async () => {
    const stay = async (): Promise<string> => {
      let said = '';
      for await (const piece of say(head)) said += String(piece);
      return said;
    };
    const { status, answers } = await withinAttempts(
      3,
      async () => {
        const staying = Promise.all(Array.from({ length: PLACES }, stay));
        const other = (await areHeld(PLACES)) && (await fetch(`${edge.url}/openapi.json`)).status;
        return { status: other, answers: await staying };
      },
      (attempt) => attempt.status === 503,
    );
    expect(status).toBe(503);
    for (const said of answers)
      expect(said).toMatch(/^HTTP\/1\.1 400 [^]*did not arrive whole in time[^]*REQUEST\.MALFORMED/);
    expect((await fetch(`${edge.url}/openapi.json`)).status).toBe(200);
  });

  it('by announcing bodies that fill the room there is for them is refused before it sends them, and small ones are let in', async () => {
    const announce = async (): Promise<string> => {
      let said = '';
      for await (const piece of say(large)) if ((said += String(piece)).endsWith('}')) break;
      return said;
    };
    const fill = async (): Promise<string[]> => {
      const answers = Promise.all(Array.from({ length: 8 }, announce));
      await eventually('they are held', async () => (await activeRequests()) > 0);
      const small = await fetch(`${edge.url}/v1/embeddings`, { ...posted, body: '{"input":[]}' });
      expect(small.status).toBe(400);
      return (await answers).filter((said) => said.includes('OVERLOAD.SHED'));
    };
    // Fewer are refused where some of the others were hung up on before all had come.
    const refused = await withinAttempts(3, fill, ({ length }) => length === 4);
    expect(refused).toHaveLength(4);
    expect(refused[0]).toMatch(/^HTTP\/1\.1 503 [^]*retry-after: 1\r\n[^]*as many large request bodies as it may/);
  });

  it('by bodies of unknown length takes no more room than it has sent', async () => {
    const chunked = large.replace(/content-length: \d+/, 'transfer-encoding: chunked').replace('{', '1\r\n{\r\n');
    const hold = async (): Promise<boolean> => {
      for (const socket of sockets) socket.destroy();
      await eventually('nobody else is there', async () => (await activeRequests()) === 0);
      for (let at = 0; at < 8; at += 1) say(chunked);
      return areHeld(8);
    };
    expect(await withinAttempts(3, hold, (isHeld) => isHeld)).toBe(true);
    const ask = (body: string | ReadableStream): Promise<Response> =>
      fetch(`${edge.url}/v1/embeddings`, { ...posted, body, duplex: 'half' } as RequestInit);
    expect((await ask('{"input":[]}')).status).toBe(400);
    for (let at = 0; at < 8; at += 1) {
      let left = 20; // MiB, more than its route reads
      const spaces = new ReadableStream({
        pull: (to) => (left-- > 0 ? to.enqueue(Buffer.alloc(1024 * 1024, ' ')) : to.close()),
      });
      const { error } = (await (await ask(spaces)).json()) as { error: { code: string } };
      expect(['REQUEST.TOO_LARGE', 'REQUEST.MALFORMED']).toContain(error.code); // too large, or too slow on this machine
    }
  });

  it('by asking on while it reads no answer keeps one place, and is answered in turn', async () => {
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    let asked = 0;
    const bare = await startBareEdge({ requests: 3, streams: 1 }, {}, (server) => {
      server.get('/slow/:at', async ({ params }) => {
        asked += 1;
        await mayAnswer;
        return params;
      });
      server.get('/', async () => 'served');
    });
    const ahead = [0, 1, 2, 3].map((at) => `GET /slow/${at} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    const client = say(ahead.join(''), bare.url);
    await eventually('it is asked', async () => asked > 0);
    expect((await fetch(bare.url)).status).toBe(200);
    expect(asked).toBe(1);
    answer();
    let said = '';
    for await (const piece of client) if ((said += String(piece)).includes('{"at":"3"}')) break;
    expect(said.match(/"at":"\d"/g)).toEqual(['"at":"0"', '"at":"1"', '"at":"2"', '"at":"3"']);
    await bare.server.close();
  });

  const described = 'GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n';

  it('by asking for very much ahead of its answers is hung up on', async () => {
    const last = described.replace('host', 'connection: close\r\nhost');
    let said = '';
    for await (const piece of say(described.repeat(30) + last)) said += String(piece);
    expect(said.split('HTTP/1.1 ').length - 1).toBeLessThan(31);
  });

  it('by reading none of what everybody may ask for keeps none, and is hung up on', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024, ' ');
    let asked = 0;
    const bare = await startBareEdge({ requests: 2, streams: 1 }, { streamMs: 1_000 }, (server) => {
      server.get('/openapi.json', async () => {
        asked += 1;
        return large;
      });
    });
    for (let at = 0; at < 5; at += 1) say(described, bare.url).pause();
    await eventually('all are answered', async () => asked === 5);
    const connections = promisify(bare.server.server.getConnections.bind(bare.server.server));
    await eventually('all are hung up on', async () => (await connections()) === 0);
    await bare.server.close();
  });

  it('by sending its question slowly makes no search look slow, and keeps no place among questions', async () => {
    const SEARCH_MS = 100;
    let begun = 0;
    const bare = await startBareEdge({ requests: 100, streams: 1, searchMs: SEARCH_MS }, {}, (server) => {
      server.addHook('onRequest', async () => void (begun += 1));
      server.post('/v1/search', async () => 'found');
    });
    const half = (): Socket => say(head.replace('length: 100', 'length: 2'), bare.url);
    const slow = Array.from({ length: 16 }, half);
    await eventually('they are let in', async () => begun === 16);
    const enough = performance.now() + 2 * SEARCH_MS;
    await eventually('they were slow', async () => performance.now() > enough);
    for (const socket of slow) socket.write('}');
    for (const socket of slow) for await (const piece of socket) if (String(piece).endsWith('found')) break;
    for (let at = 0; at < 40; at += 1) half();
    await eventually('they are let in', async () => begun === 56);
    const other = await fetch(`${bare.url}/v1/search`, { ...posted, body: '{}' });
    expect(other.status).toBe(200);
    await bare.server.close();
  });

  it('by a body that stands still is told so and hung up on, and one that is slow but moves is read', async () => {
    const bare = await startBareEdge({ requests: 100, streams: 1 }, { stillMs: 400 }, (server) => {
      server.post('/', async () => 'taken');
    });
    const start = 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\ncontent-length: 11\r\n\r\n.';
    const read = async (socket: Socket): Promise<string> => {
      let said = '';
      for await (const piece of socket) if ((said += String(piece)).endsWith('taken')) break;
      return said;
    };
    const moving = say(start, bare.url);
    let left = 10;
    const drip = setInterval(() => left-- > 0 && moving.write('.'), 100);
    const answers = await Promise.all([read(say(start, bare.url)), read(moving)]);
    clearInterval(drip);
    expect(answers[0]).toMatch(/^HTTP\/1\.1 503 [^]*stood still for 0\.4 seconds/);
    expect(answers[1]).toMatch(/^HTTP\/1\.1 200 /);
    await bare.server.close();
  });

  it('and left before its answer came is not remembered', async () => {
    const patience = 300_000;
    const server = fastify();
    await server.register(multipart);
    hangUpOnSlowClients(server, { bodyMs: patience, streamMs: patience });
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    let seen: WeakRef<object> | undefined;
    server.get('/', async (request, reply) => {
      seen = new WeakRef(request);
      reply.raw.once('close', leave);
      await left;
      return 'too late';
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as AddressInfo;
    const client = connect(port, '127.0.0.1', () => void client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n'));
    await eventually('it is asked', async () => seen !== undefined);
    client.destroy();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    await eventually('the request is forgotten', async () => {
      collectGarbage();
      return seen!.deref() === undefined;
    });
    await server.close();
  });
});
