import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { eventually } from '../eventually.js';
import { FaultProxy } from './fault-proxy.js';

let echo: Server;
let proxy: FaultProxy;
let clients: Socket[] = [];
const seenByServer: Socket[] = [];

beforeEach(async () => {
  seenByServer.length = 0;
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    seenByServer.push(socket);
    socket.on('error', () => undefined).pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await FaultProxy.start({ target: (echo.address() as AddressInfo).port });
});

afterEach(async () => {
  for (const client of clients) client.destroy();
  clients = [];
  await proxy.close();
  echo.close();
});

async function open(): Promise<Socket> {
  const client = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  clients.push(client);
  client.on('error', () => undefined);
  await once(client, 'connect');
  return client;
}

/** One listener for all: what a socket has kept it gives at once. */
async function receive(client: Socket, bytes: number): Promise<Buffer[]> {
  const pieces: Buffer[] = [];
  let missing = bytes;
  await new Promise<void>((resolve) => {
    const take = (piece: Buffer): void => {
      pieces.push(piece);
      missing -= piece.length;
      if (missing > 0) return;
      client.off('data', take);
      resolve();
    };
    client.on('data', take);
  });
  return pieces;
}

const failure = async (client: Socket): Promise<string> =>
  ((await once(client, 'error').catch((error: unknown) => [error])) as [NodeJS.ErrnoException])[0].code!;

describe('the fault proxy', () => {
  it('passes everything on unchanged, with the end of each half', async () => {
    const client = await open();
    const sent = Buffer.alloc(3_000_000, 'abcdefg');
    client.end(sent);
    const pieces: Buffer[] = [];
    for await (const piece of client) pieces.push(piece as Buffer);
    expect(Buffer.concat(pieces).equals(sent)).toBe(true);
    expect(proxy.accepted).toBe(1);
  });

  it('delays each direction, and changes that for a live connection', async () => {
    const client = await open();
    await proxy.set({ latencyMs: 60, jitterMs: 20 });
    const began = performance.now();
    client.write('slow');
    await receive(client, 4);
    expect(performance.now() - began).toBeGreaterThanOrEqual(115);
    await proxy.clear();
    client.write('fast');
    expect(String(Buffer.concat(await receive(client, 4)))).toBe('fast');
  });

  it('keeps the order under jitter', async () => {
    const client = await open();
    await proxy.set({ jitterMs: 20 });
    const words = Array.from({ length: 40 }, (_, at) => `${at};`);
    for (const word of words) {
      client.write(word);
      await new Promise(setImmediate);
    }
    const text = Buffer.concat(await receive(client, words.join('').length)).toString();
    expect(text).toBe(words.join(''));
  });

  it('dribbles slices', async () => {
    const client = await open();
    await proxy.set({ sliceBytes: 2, sliceDelayMs: 5 });
    client.write('0123456789');
    const pieces = await receive(client, 10);
    expect(pieces.length).toBeGreaterThanOrEqual(4);
    expect(String(Buffer.concat(pieces))).toBe('0123456789');
  });

  it('holds to its bandwidth', async () => {
    const client = await open();
    await proxy.set({ bytesPerSecond: 20_000 });
    const began = performance.now();
    client.write(Buffer.alloc(6_000));
    await receive(client, 6_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(250);
  });

  it('swallows what goes into a black hole until it ends, for live and new connections', async () => {
    const live = await open();
    await proxy.set({ blackHole: true });
    const fresh = await open();
    live.write('live');
    fresh.write('fresh');
    const silent = new Promise((resolve) => setTimeout(resolve, 100, 'silent'));
    expect(await Promise.race([receive(live, 4), receive(fresh, 5), silent])).toBe('silent');
    const answers = Promise.all([receive(live, 4), receive(fresh, 5)]);
    await proxy.clear();
    expect((await answers).map((pieces) => String(Buffer.concat(pieces)))).toEqual(['live', 'fresh']);
  });

  it('refuses new connections and leaves live ones', async () => {
    const live = await open();
    await proxy.set({ refuse: true });
    const refused = connect(proxy.port, '127.0.0.1');
    expect(await failure(refused)).toBe('ECONNREFUSED');
    live.write('still');
    expect(String(Buffer.concat(await receive(live, 5)))).toBe('still');
    await proxy.clear();
    const again = await open();
    again.write('again');
    expect(await receive(again, 5)).toHaveLength(1);
  });

  it('resets live and new connections, seen by both sides', async () => {
    const live = await open();
    live.write('x');
    await receive(live, 1);
    const [atClient, atServer] = [failure(live), failure(seenByServer[0]!)];
    await proxy.set({ reset: true });
    expect(await atClient).toBe('ECONNRESET');
    expect(await atServer).toBe('ECONNRESET');
    const fresh = connect(proxy.port, '127.0.0.1');
    expect(await failure(fresh)).toBe('ECONNRESET');
  });

  it('resets in the middle of an answer', async () => {
    const client = await open();
    await proxy.set({ resetAfterBytes: 1_000, sliceBytes: 100 });
    let got = 0;
    client.on('data', (piece: Buffer) => (got += piece.length));
    client.write(Buffer.alloc(5_000));
    expect(await failure(client)).toBe('ECONNRESET');
    expect(got).toBeLessThanOrEqual(1_000);
  });

  it('closes one half', async () => {
    const client = await open();
    client.write('x');
    await receive(client, 1);
    const ended = once(client, 'end');
    proxy.halfClose('client');
    await ended;
    const arrived = once(seenByServer[0]!, 'data');
    client.write('y');
    expect(String((await arrived)[0])).toBe('y');
  });

  it('forgets connections that are over', async () => {
    const client = await open();
    client.end('bye');
    await once(client.resume(), 'close');
    await eventually('it is forgotten', () => proxy.connections === 0);
  });
});
