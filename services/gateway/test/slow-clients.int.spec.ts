import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import multipart from '@fastify/multipart';
import { fastify } from 'fastify';
import { eventually, withinAttempts } from '@ragmesh/testing';
import { hangUpOnSlowClients } from '../src/http/slow-clients.js';
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
function say(text: string): Socket {
  const { hostname, port } = new URL(edge.url);
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

  it('by reading none of its answers is hung up on', async () => {
    say('GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(PLACES)).pause();
    await eventually('they have places', async () => (await activeRequests()) > 0);
    await eventually('the places are free', async () => (await activeRequests()) === 0);
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
