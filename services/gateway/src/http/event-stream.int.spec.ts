import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '@ragmesh/observability';
import { eventually } from '@ragmesh/testing';
import { fastify } from 'fastify';
import { Admission } from './admission.js';
import { EventStream, encodeEvent } from './event-stream.js';
import { trackRequests } from './request-lifecycle.js';
import { scopeOf } from './request-scope.js';

const server = fastify({ forceCloseConnections: true });
const kilobyte = 'x'.repeat(1024);
let sent = 0;
let left = false;

beforeAll(async () => {
  trackRequests(server, new Admission({ requests: 10, streams: 1 }), createLogger('gateway', 'fatal'));
  server.get('/endless', async (_request, reply) => {
    const events = EventStream.open(reply);
    const { clientLeft } = scopeOf(reply);
    for (; !clientLeft.aborted; sent += 1) await events.send('delta', { text: kilobyte });
    left = true;
    events.end();
  });
  server.get('/unread', async (_request, reply) => {
    scopeOf(reply).endsAt = performance.now();
    const events = EventStream.open(reply);
    await events.send('delta', { text: 'x'.repeat(64 * 1024 * 1024) }); // more than any buffer on the way takes
    events.end();
  });
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

async function open(path = '/endless'): Promise<IncomingMessage> {
  const outgoing = request({
    port: (server.server.address() as AddressInfo).port,
    host: '127.0.0.1',
    path,
  });
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response.on('error', () => undefined);
}

/** True once a reader who reads nothing has stopped the writer. */
async function isHeld(): Promise<boolean> {
  const before = sent;
  await new Promise((resolve) => setTimeout(resolve, 200));
  return sent > 0 && sent === before;
}

describe('an event stream', () => {
  it('writes one event a block, with line breaks kept inside its data', () => {
    expect(encodeEvent('delta', { text: 'a\n\nb' })).toBe('event: delta\ndata: {"text":"a\\n\\nb"}\n\n');
  });

  it('waits for a slow reader, goes on at his pace, and ends when he leaves', async () => {
    const response = await open();
    expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    await eventually('the writer is held', isHeld);
    const held = sent;
    response.resume();
    await eventually('he writes on', () => sent > held + 1000);
    response.destroy();
    await eventually('he has heard that the reader left', () => left);
  });

  it('gives its place back', async () => {
    left = false;
    const response = await open();
    expect(response.statusCode).toBe(200);
    response.destroy();
    await eventually('he has heard that the reader left', () => left);
  });

  it('hangs up on a reader who does not read when his answer must be over', async () => {
    const response = await open('/unread');
    let isOver = false;
    response.once('close', () => (isOver = true));
    // The place of the one stream there may be is free again, although he neither read nor left.
    await eventually('the place is free', async () => {
      const next = await open();
      next.destroy();
      return next.statusCode === 200;
    });
    response.resume();
    await eventually('the reader is hung up on', () => isOver);
    expect(response.complete).toBe(false);
  });
});
